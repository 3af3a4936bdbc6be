// Opens the pages of a server in a headless Chromium, narrow and wide, light and dark, and looks for what is wrong
// with them. BASE is the server, BROWSER the folder of Chromium, PAGES the paths, one a line; with SHOTS it leaves
// pictures in that folder.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { BASE, BROWSER, PAGES, SHOTS } = process.env;
const HTML = "text/html,*/*;q=0.8";
const axe = readFileSync(join(BROWSER, "axe.min.js"), "utf8");
const home = mkdtempSync(join(tmpdir(), "pages-"));
writeFileSync(join(home, "fonts.conf"),
  `<?xml version="1.0"?><fontconfig><dir>${BROWSER}/fonts</dir><cachedir>${home}</cachedir></fontconfig>`);

// It speaks over a pipe: no port is open, and there is nothing to connect to by mistake.
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
  `--user-data-dir=${home}`, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "about:blank"];
const chromium = spawn(join(BROWSER, "chromium"), flags, {
  stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  env: { ...process.env, HOME: home, FONTCONFIG_FILE: join(home, "fonts.conf"), LD_LIBRARY_PATH: join(BROWSER, "lib") },
});
const waiting = new Map();
let number = 0, told = [], rest = "";
chromium.stdio[4].setEncoding("utf8");
chromium.stdio[4].on("data", (text) => {
  const messages = (rest + text).split("\0");
  rest = messages.pop();
  for (const message of messages.map(JSON.parse)) {
    if (!message.id) told.push(message);
    const answer = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error) answer?.reject(new Error(message.error.message));
    else answer?.resolve(message.result);
  }
});
let sessionId;
const ask = (method, params = {}) => new Promise((resolve, reject) => {
  waiting.set(++number, { resolve, reject });
  chromium.stdio[3].write(JSON.stringify({ id: number, method, params, sessionId }) + "\0");
});
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const evaluate = async (expression) => {
  const { result, exceptionDetails } = await ask("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
  return result.value;
};

let cases = 0;
const faults = [];
const check = (good, what) => { cases += 1; if (!good) faults.push(what); };

const visit = async (path, width, scheme) => {
  const where = `${path} at ${width}, ${scheme}`;
  await ask("Emulation.setDeviceMetricsOverride", { width, height: 800, deviceScaleFactor: 1, mobile: width < 500 });
  await ask("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  told = [];
  await ask("Page.navigate", { url: BASE + path });
  for (let tries = 0; tries < 500 && !told.some((m) => m.method === "Page.loadEventFired"); tries++) await pause(10);
  check(told.some((m) => m.method === "Page.loadEventFired"), `${where}: does not load`);
  const said = told.filter((m) => ["Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"].includes(m.method));
  check(said.length === 0, `${where}: console: ${JSON.stringify(said.map((m) => m.params))}`);
  const asked = told.filter((m) => m.method === "Network.requestWillBeSent").map((m) => m.params.request.url);
  const own = asked.filter((url) => !url.startsWith("data:"));
  check(own.length === 1 && own[0] === BASE + path, `${where}: asks for ${asked}`);
  const seen = await evaluate(`({ scroll: document.documentElement.scrollWidth, width: innerWidth,
    back: getComputedStyle(document.body).backgroundColor, title: document.title,
    links: [...document.links].map((link) => link.href) })`);
  check(seen.scroll <= width && seen.width === width, `${where}: ${seen.scroll} wide`);
  check(seen.title.endsWith("mpota"), `${where}: title ${seen.title}`);
  check((seen.back === "rgb(255, 255, 255)") === (scheme === "light"), `${where}: background ${seen.back}`);
  // Two of the four have every colour and every column; it takes longer than all else.
  if ((width < 500) === (scheme === "dark")) {
    await evaluate(axe);
    const wrong = await evaluate("axe.run().then((found) => found.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))");
    check(wrong.length === 0, `${where}: accessibility: ${JSON.stringify(wrong)}`);
  }
  const key = { key: "Tab", code: "Tab", windowsVirtualKeyCode: 9 };
  await ask("Input.dispatchKeyEvent", { type: "keyDown", ...key });
  const first = await evaluate("document.activeElement.className + ' ' + (document.activeElement.getBoundingClientRect().left >= 0)");
  check(first === "skip true", `${where}: the first key leads to ${first}`);
  if (SHOTS) {
    await evaluate("document.activeElement.blur()");
    const shot = await ask("Page.captureScreenshot", { captureBeyondViewport: true });
    const name = path.replace(/[^a-zA-Z0-9.]+/g, "_").slice(0, 60);
    writeFileSync(join(SHOTS, `${name}-${width}-${scheme}.png`), Buffer.from(shot.data, "base64"));
  }
  return seen.links;
};

try {
  const { targetId } = await ask("Target.createTarget", { url: "about:blank" });
  ({ sessionId } = await ask("Target.attachToTarget", { targetId, flatten: true }));
  for (const domain of ["Page", "Network", "Log", "Runtime"]) await ask(`${domain}.enable`);
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
  chromium.kill("SIGKILL");
  await new Promise((resolve) => chromium.once("close", resolve));
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
for (const fault of faults) console.error(fault);
console.log(`  cases ${cases}: pages in Chromium`);
process.exit(faults.length ? 1 : 0);
