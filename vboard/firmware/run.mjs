// One boot of a board, or one test file, on MicroPython's WebAssembly build under Node.js:
//
//     FIRMWARE='{"package": FOLDER, "do": "boot", "folder": FOLDER, ...}' node run.mjs
//
// A boot is a process: nothing is left of it but the board's files, which are copied into the
// interpreter's own file system before, and out again however it ends. The exit code says how that
// was; see board.py, which also has the options and what the board's code sees.

import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { Wire } from "./wire.mjs";

const options = JSON.parse(process.env.FIRMWARE);
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
// What Emscripten has made before the board's files come; none of it is the board's.
const OURS = ["dev", "home", "proc", "tmp"];
const HARNESS = "/tmp/harness";

async function interpreter() {
  const folder = path.resolve(options.package);
  const { loadMicroPython } = await import(pathToFileURL(path.join(folder, "micropython.mjs")));
  // The oldest package looks for its .wasm in the current folder unless it is told.
  const url = path.join(folder, "micropython.wasm");
  const heapsize = options.heap ?? 8 << 20;
  const say = (line) => fs.writeSync(1, line + "\n");
  return await loadMicroPython({ url, heapsize, stdout: say, stderr: say });
}

// Emscripten numbers its errors as WASI does, and MicroPython hands the number on; on a board they
// are those of Linux, and code asks for them by number.
const LINUX = {
  2: 13, 6: 11, 8: 9, 10: 16, 20: 17, 28: 22, 29: 5, 31: 21, 32: 40, 33: 24, 37: 36, 43: 19, 44: 2,
  48: 12, 51: 28, 52: 38, 54: 20, 55: 39, 63: 1, 69: 30, 70: 29, 75: 18,
};

function renumber(FS) {
  let depth = 0;
  for (const [name, call] of Object.entries(FS)) {
    if (typeof call !== "function" || /^[A-Z]/.test(name)) continue; // classes have capitals
    FS[name] = function (...args) {
      depth += 1;
      try {
        return call.apply(this, args);
      } catch (e) {
        // Emscripten's own functions ask one another by its numbers. Some of these errors are one
        // object for all, so the number is changed on another one.
        if (depth > 1 || e?.name !== "ErrnoError") throw e;
        throw new FS.ErrnoError(LINUX[e.errno] ?? e.errno);
      } finally {
        depth -= 1;
      }
    };
  }
}

// A power loss is not played here, so that a rename need not be one; what it must be is complete.
function copyIn(FS, host, to) {
  FS.mkdirTree(to || "/");
  for (const e of fs.readdirSync(host, { withFileTypes: true })) {
    const [from, path] = [host + "/" + e.name, to + "/" + e.name];
    if (e.isDirectory()) copyIn(FS, from, path);
    else FS.writeFile(path, fs.readFileSync(from));
  }
}

function copyOut(FS, from, host) {
  fs.mkdirSync(host, { recursive: true });
  for (const name of FS.readdir(from || "/")) {
    if (name === "." || name === ".." || (from === "" && OURS.includes(name))) continue;
    const [path, to] = [from + "/" + name, host + "/" + name];
    if (FS.isDir(FS.stat(path).mode)) copyOut(FS, path, to);
    else fs.writeFileSync(to, FS.readFile(path));
  }
}

// The bytes of a connection go through a file of their own: a string of JavaScript arrives in
// Python as UTF-8, and one of Python here only up to its first NUL.
function wire(FS) {
  const wire = new Wire();
  const device = FS.makedev(64, 0);
  FS.registerDevice(device, {
    open() {},
    close() {},
    read: (_, buffer, offset, length) => wire.take(buffer, offset, length),
    write: (_, buffer, offset, length) => wire.put(Buffer.from(buffer.buffer, buffer.byteOffset + offset, length)),
  });
  FS.mkdev("/dev/wire", 0o666, device);
  return wire;
}

const mp = await interpreter();
const FS = mp.FS ?? mp._module.FS;
const board = options.do === "boot";
copyIn(FS, here, HARNESS);
if (board) copyIn(FS, options.folder, "");
else for (const name of ["device", "spec"]) copyIn(FS, path.join(options.repository, name), "/" + name);
const net = wire(FS);
renumber(FS);

function end(code) {
  if (board) {
    fs.rmSync(options.folder, { recursive: true });
    copyOut(FS, "", options.folder);
  }
  process.exit(code);
}

mp.registerJsModule("_host", {
  end,
  options: () => JSON.stringify(options),
  connect: (host, port) => net.ask("connect", { host, port }),
  secure: (id, text) => net.ask("secure", { id, ...JSON.parse(text) }),
  send: (id) => net.send(id),
  receive: (id, most, wait) => net.receive(id, most, wait),
  close: (id) => net.ask("close", { id }),
});
try {
  mp.runPython(`import sys; sys.path.insert(0, ${JSON.stringify(HARNESS)}); import board; board.main()`);
} catch (e) {
  fs.writeSync(1, String(e?.stack ?? e) + "\n");
}
end(1); // board.main() does not return
