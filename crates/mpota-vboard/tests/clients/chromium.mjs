// A headless Chromium, spoken to over a pipe: no port is open, and there is nothing to connect to by mistake. BROWSER is
// its folder.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { BROWSER, SHOTS } = process.env;
export const axe = readFileSync(join(BROWSER, "axe.min.js"), "utf8");
const home = mkdtempSync(join(tmpdir(), "pages-"));
writeFileSync(join(home, "fonts.conf"),
  `<?xml version="1.0"?><fontconfig><dir>${BROWSER}/fonts</dir><cachedir>${home}</cachedir></fontconfig>`);

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
export const ask = (method, params = {}) => new Promise((resolve, reject) => {
  waiting.set(++number, { resolve, reject });
  chromium.stdio[3].write(JSON.stringify({ id: number, method, params, sessionId }) + "\0");
});
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const evaluate = async (expression) => {
  const { result, exceptionDetails } = await ask("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
  return result.value;
};

// A page, before the first address.
export const start = async () => {
  const { targetId } = await ask("Target.createTarget", { url: "about:blank" });
  ({ sessionId } = await ask("Target.attachToTarget", { targetId, flatten: true }));
  for (const domain of ["Page", "Network", "Log", "Runtime"]) await ask(`${domain}.enable`);
};
const named = (...methods) => told.filter((message) => methods.includes(message.method)).map((message) => message.params);
// Goes to an address and waits until it is there.
export const navigate = async (url, width, scheme) => {
  await ask("Emulation.setDeviceMetricsOverride", { width, height: 800, deviceScaleFactor: 1, mobile: width < 500 });
  await ask("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  told = [];
  await ask("Page.navigate", { url });
  for (let tries = 0; tries < 6000 && !named("Page.loadEventFired").length; tries++) await pause(10);
  return named("Page.loadEventFired").length > 0;
};
// What it said and asked for since then.
export const said = () => named("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown");
export const asked = () => named("Network.requestWillBeSent").map((params) => params.request.url);
export const looks = () => evaluate(`({ scroll: document.documentElement.scrollWidth, width: innerWidth,
  back: getComputedStyle(document.body).backgroundColor, title: document.title,
  links: [...document.links].map((link) => link.href) })`);
// What axe finds wrong.
export const wrong = async () => {
  await evaluate(axe);
  return evaluate("axe.run().then((found) => found.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))");
};
export const shoot = async (name) => {
  if (!SHOTS) return;
  const shot = await ask("Page.captureScreenshot", { captureBeyondViewport: true });
  writeFileSync(join(SHOTS, `${name}.png`), Buffer.from(shot.data, "base64"));
};
export const end = async () => {
  const closed = new Promise((resolve) => chromium.once("close", resolve));
  // Asked to end, it takes its own children with it: those of one that was killed go on writing into `home`.
  sessionId = undefined;
  ask("Browser.close").catch(() => {});
  const hung = setTimeout(() => chromium.kill("SIGKILL"), 20_000);
  await closed;
  clearTimeout(hung);
  rmSync(home, { recursive: true, force: true, maxRetries: 20 });
};

// Claims, and those that do not hold.
let cases = 0;
const faults = [];
export const check = (good, what) => { cases += 1; if (!good) faults.push(what); };
export const report = (what) => {
  for (const fault of faults) console.error(fault);
  console.log(`  cases ${cases}: ${what}`);
  process.exit(faults.length ? 1 : 0);
};
