// The only script that Node runs: Node and npm are all a fresh machine has. npm may have been told
// not to run install scripts, and Bun's own one puts its binary in place; then it is run here.
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";

const home = new URL("../node_modules/bun/", import.meta.url);
const PLACEHOLDER_BYTES = 64 * 1024; // it is a text of 450 bytes; the binary is 100 MB

const size = statSync(new URL("bin/bun.exe", home), { throwIfNoEntry: false })?.size;
if (size === undefined) fail("Bun is not installed. Run `npm ci` first.");
if (size < PLACEHOLDER_BYTES) {
  const done = spawnSync(process.execPath, ["install.js"], { cwd: home, stdio: "inherit" });
  if (done.status !== 0) fail("Bun's binary could not be put in place; see above.");
}

function fail(why) {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}
