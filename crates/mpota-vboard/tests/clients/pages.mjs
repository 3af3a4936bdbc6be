// Opens the pages of a server in a headless Chromium, narrow and wide, light and dark, and looks for what is wrong
// with them. BASE is the server, BROWSER the folder of Chromium, PAGES the paths, one a line; with SHOTS it leaves
// pictures in that folder.
import { ask, asked, check, end, evaluate, looks, navigate, report, said, shoot, start, wrong } from "./chromium.mjs";

const { BASE, PAGES } = process.env;
const HTML = "text/html,*/*;q=0.8";

const visit = async (path, width, scheme) => {
  const where = `${path} at ${width}, ${scheme}`;
  check(await navigate(BASE + path, width, scheme), `${where}: does not load`);
  check(said().length === 0, `${where}: console: ${JSON.stringify(said())}`);
  const own = asked().filter((url) => !url.startsWith("data:"));
  check(own.length === 1 && own[0] === BASE + path, `${where}: asks for ${asked()}`);
  const seen = await looks();
  check(seen.scroll <= width && seen.width === width, `${where}: ${seen.scroll} wide`);
  check(seen.title.endsWith("mpota"), `${where}: title ${seen.title}`);
  check((seen.back === "rgb(255, 255, 255)") === (scheme === "light"), `${where}: background ${seen.back}`);
  // Two of the four have every colour and every column; it takes longer than all else.
  if ((width < 500) === (scheme === "dark")) {
    const found = await wrong();
    check(found.length === 0, `${where}: accessibility: ${JSON.stringify(found)}`);
  }
  const key = { key: "Tab", code: "Tab", windowsVirtualKeyCode: 9 };
  await ask("Input.dispatchKeyEvent", { type: "keyDown", ...key });
  const first = await evaluate("document.activeElement.className + ' ' + (document.activeElement.getBoundingClientRect().left >= 0)");
  check(first === "skip true", `${where}: the first key leads to ${first}`);
  await evaluate("document.activeElement.blur()");
  await shoot(`${path.replace(/[^a-zA-Z0-9.]+/g, "_").slice(0, 60)}-${width}-${scheme}`);
  return seen.links;
};

try {
  await start();
  const links = new Set();
  for (const path of PAGES.trim().split("\n")) {
    for (const [width, scheme] of [[360, "light"], [360, "dark"], [1280, "light"], [1280, "dark"]]) {
      for (const link of await visit(path, width, scheme)) links.add(link);
    }
  }
  for (const link of links) {
    const answer = await fetch(link, { headers: { accept: HTML }, redirect: "manual" });
    // The page for the token says 401.
    check(link.startsWith(BASE) && [200, 302, 401].includes(answer.status), `${link}: ${answer.status}`);
  }
} finally {
  await end();
}
report("pages in Chromium");
