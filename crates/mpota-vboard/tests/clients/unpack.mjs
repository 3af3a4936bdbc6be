// Unpacks the Chromium of an npm package, with its libraries, and takes away what was packed.
import { execFileSync } from "node:child_process";
import { copyFileSync, createReadStream, createWriteStream, rmSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

const [from, to] = process.argv.slice(2);
const modules = join(from, "node_modules");
const packed = join(modules, "@sparticuz/chromium/bin");
const unpack = (name, file) =>
  pipeline(createReadStream(join(packed, name)), createBrotliDecompress(), createWriteStream(file, { mode: 0o755 }));

await unpack("chromium.br", join(to, "chromium"));
for (const name of ["al2023", "swiftshader", "fonts"]) {
  const tar = join(to, `${name}.tar`);
  await unpack(`${name}.tar.br`, tar);
  execFileSync("tar", ["-xf", tar, "-C", to]);
  rmSync(tar);
}
copyFileSync(join(modules, "axe-core/axe.min.js"), join(to, "axe.min.js"));
rmSync(modules, { recursive: true });
