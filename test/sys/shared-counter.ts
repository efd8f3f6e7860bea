/** A process for shared-memory.test.ts: memory at descriptor 3, orders on its standard input. */
import { monotonic } from "../../src/sys/monotonic.ts";
import { RecordLocks } from "../../src/sys/record-locks.ts";
import { mapShared } from "../../src/sys/shared-memory.ts";

const MEMORY = 3;
const [bytes = 0, each = 0] = process.argv.slice(2).map(Number);
const words = new Int32Array(mapShared(MEMORY, bytes));
const locks = new RecordLocks(MEMORY);

for await (const line of console) {
  const [word, at] = line.split(" ");
  if (word === "take") say(locks.take(Number(at)));
  if (word === "time") say(monotonic());
  if (word !== "add") continue;
  for (let i = 0; i < each; i++) Atomics.add(words, 0, 1);
  say("added");
}

function say(what: unknown): void {
  process.stdout.write(`${String(what)}\n`);
}
