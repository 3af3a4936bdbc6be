// `/fleet` in a headless Chromium, as somebody uses it. BASE is the server with 1,000 boards, one of which has markup in
// its reason; TOKEN is what the fleet is shown for, REPORTER what boards report with; BROWSER is the folder of Chromium.
import { ask, asked, check, end, evaluate, looks, navigate, pause, report, said, shoot, start, wrong } from "./chromium.mjs";

const { BASE, TOKEN, REPORTER } = process.env;
const rows = () => evaluate(`[...document.querySelectorAll("#boards tbody tr")].map((row) => row.innerText)`);
const caption = () => evaluate(`document.querySelector("#boards caption")?.innerText ?? document.querySelector("#boards").innerText`);
// Waits until it is so, for as long as a slow machine takes.
const until = async (holds) => {
  for (let tries = 0; tries < 300; tries++) {
    if (await holds()) return true;
    await pause(100);
  }
  return false;
};
const press = (selector) => evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
const type = (selector, text) => evaluate(`(() => {
  const field = document.querySelector(${JSON.stringify(selector)});
  field.value = ${JSON.stringify(text)};
  field.dispatchEvent(new Event("input", { bubbles: true }));
})()`);
const tell = (said) => fetch(`${BASE}/octo/weather/releases/latest`, {
  headers: { authorization: `Bearer ${REPORTER}`, "mpota-report": JSON.stringify(said) }, redirect: "manual",
});

try {
  await start();
  const basic = Buffer.from(`me:${TOKEN}`).toString("base64");
  await ask("Network.setExtraHTTPHeaders", { headers: { authorization: `Basic ${basic}` } });
  for (const path of ["/fleet", "/fleet?board=board0003"]) {
    for (const [width, scheme] of [[360, "light"], [360, "dark"], [1280, "light"], [1280, "dark"]]) {
      const where = `${path} at ${width}, ${scheme}`;
      check(await navigate(BASE + path, width, scheme), `${where}: does not load`);
      const seen = await looks();
      check(seen.scroll <= width && seen.width === width, `${where}: ${seen.scroll} wide`);
      check((seen.back === "rgb(255, 255, 255)") === (scheme === "light"), `${where}: background ${seen.back}`);
      check(asked().every((url) => url.startsWith(BASE) || url.startsWith("data:")), `${where}: asks for ${asked()}`);
      check(said().length === 0, `${where}: console: ${JSON.stringify(said())}`);
      if ((width < 500) === (scheme === "dark")) {
        const found = await wrong();
        check(found.length === 0, `${where}: accessibility: ${JSON.stringify(found)}`);
      }
      await shoot(`${path.replace(/[^a-z0-9]+/g, "_")}-${width}-${scheme}`);
    }
  }

  await navigate(`${BASE}/fleet`, 1280, "light");
  await evaluate("window.here = true");
  check((await rows()).length === 200, `rows: ${(await rows()).length}`);
  check((await caption()) === "1000 boards, page 1 of 5", `caption: ${await caption()}`);

  await press("#boards thead th a");
  check(await until(async () => (await rows())[0].startsWith("board0000")), `sorted by id: ${(await rows())[0]}`);
  // The first row may have been the same before.
  const sorted = () => evaluate(`document.querySelector("#boards thead th").getAttribute("aria-sort")`);
  check(await until(async () => (await sorted()) === "ascending"), `aria-sort: ${await sorted()}`);
  await press("#boards thead th a");
  check(await until(async () => (await rows())[0].startsWith("board0999")), `the other way: ${(await rows())[0]}`);
  const order = await evaluate(`document.querySelector("#boards thead th").getAttribute("aria-sort")`);
  check(order === "descending", `aria-sort: ${order}`);

  await type("input[name=q]", "<script>");
  check(await until(async () => (await caption()) === "1 board"), `filtered by text: ${await caption()}`);
  const markup = (await rows())[0];
  check(markup.includes("<script>document.title='taken'</script>"), `markup: ${markup}`);
  check((await evaluate("document.title")) === "Fleet · mpota", "the markup has run");
  await type("input[name=q]", "");
  await press("input[name=back]");
  check(await until(async () => (await caption()) === "20 boards"), `came back: ${await caption()}`);
  await press("input[name=back]");
  await evaluate(`(() => {
    const version = document.querySelector("select[name=version]");
    version.value = "v1.1.0";
    version.dispatchEvent(new Event("input", { bubbles: true }));
  })()`);
  check(await until(async () => (await caption()) === "480 boards, page 1 of 3"), `by version: ${await caption()}`);
  check((await evaluate("location.search")).includes("version=v1.1.0"), "the address says what is shown");

  // Live: one that was not there, and one that changes.
  await type("input[name=q]", "");
  await evaluate(`(() => {
    const version = document.querySelector("select[name=version]");
    version.value = "";
    version.dispatchEvent(new Event("input", { bubbles: true }));
  })()`);
  check(await until(async () => (await caption()).startsWith("1000 boards")), `all again: ${await caption()}`);
  await tell({ id: "newcomer", version: "v1.1.0", state: "idle" });
  check(await until(async () => (await caption()).startsWith("1001 boards")), `one more: ${await caption()}`);
  await type("input[name=q]", "newcomer");
  check(await until(async () => (await caption()) === "1 board"), `the newcomer: ${await caption()}`);
  await tell({ id: "newcomer", version: "v1.1.0", state: "trial" });
  check(await until(async () => (await rows())[0].includes("trial")), `its state: ${await rows()}`);
  check(await evaluate("window.here === true"), "the page was loaded again");
  check(said().length === 0, `console: ${JSON.stringify(said())}`);

  await ask("Network.emulateNetworkConditions", { offline: true, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  const pulse = () => evaluate(`document.getElementById("pulse").innerText`);
  check(await until(async () => (await pulse()).includes("does not answer")), `without the server: ${await pulse()}`);
  await ask("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  check(await until(async () => (await pulse()) === ""), `with it again: ${await pulse()}`);

  await ask("Emulation.setScriptExecutionDisabled", { value: true });
  await navigate(`${BASE}/fleet?q=board09&sort=id&order=asc`, 360, "light");
  check((await rows()).length === 100, `without scripts: ${(await rows()).length} rows`);
} finally {
  await end();
}
report("the fleet in Chromium");
