/** A worker that writes its access log, for log-file.test.ts: `writer.ts PATH NAME LINES`. */
import { LogFile } from "../../src/observe/log-file.ts";

const [path = "", name = "", lines = "0"] = process.argv.slice(2);
const file = new LogFile(path, { rotate: 8000, keep: 1000 });
for (let n = 0; n < Number(lines); n++) {
  file.write(`${name} ${n} ${"x".repeat(n % 97)}.\n`);
  if (n % 5 === 0) file.flush();
}
file.close();
