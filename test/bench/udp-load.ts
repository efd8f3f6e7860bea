import { DatagramQueue } from "../../src/sys/datagram-queue.ts";
import { routeTo } from "../../src/sys/datagram-route.ts";
import { bindDatagram } from "../../src/sys/datagram-socket.ts";
/**
 * Datagrams that cost their two programs little, so that a tunnel is measured and not iperf3: many with one system
 * call each way. Each run prints how many datagrams went, or came, as JSON. The receiver says `ready` first, and
 * ends when its standard input has and nothing more comes.
 *
 *     bun udp-load.ts receive PORT
 *     bun udp-load.ts send HOST PORT BYTES PER_SECOND SECONDS
 */
import { DatagramBatch } from "../../src/sys/datagram.ts";
import { nap } from "../../src/sys/nap.ts";

const [way, ...words] = process.argv.slice(2);
/** Bytes that the kernel may hold. */
const BUFFER = 2 ** 22;
const BATCH = 64;
/** Between looks of the receiver, and trains of the sender, µs: a tenth of what its buffer holds. */
const PAUSE = 500;
/** Looks of the receiver between two at its standard input: a tenth of a second. */
const LOOKS = 200;
/** So long after the sender's end everything has come that comes. Milliseconds. */
const QUIET_MS = 300;

process.stdout.write(
  `${JSON.stringify({ datagrams: way === "send" ? send() : await receive() })}\n`,
);
process.exit();

async function receive(): Promise<number> {
  const port = Number(words[0]);
  const { fd } = bindDatagram(
    { kind: "tcp", host: "0.0.0.0", port },
    { reusePort: false, buffer: BUFFER },
  );
  const batch = new DatagramBatch(BATCH, 2048, 64);
  const ended = new AbortController();
  process.stdin.on("end", () => ended.abort()).resume();
  process.stdout.write("ready\n");
  let count = 0;
  for (let came = performance.now(), look = 1; ; look++) {
    const before = count;
    for (let n = BATCH; n === BATCH; count += n) n = batch.receive(fd);
    const now = performance.now();
    if (count > before) came = now;
    else if (ended.signal.aborted && now - came > QUIET_MS) return count;
    if (look % LOOKS === 0) await new Promise(setImmediate);
    nap(PAUSE);
  }
}

function send(): number {
  const [host = "", port, bytes, perSecond, seconds] = words;
  const to = routeTo(host, Number(port), false);
  if (to === undefined) throw new Error(`no address: ${host}`);
  const { fd } = bindDatagram(
    { kind: "tcp", host: "0.0.0.0", port: 0 },
    { reusePort: false, buffer: BUFFER },
  );
  const queue = new DatagramQueue(BATCH, BATCH * Number(bytes) + 2 ** 16);
  const began = performance.now();
  let count = 0;
  for (let now = began; now < began + Number(seconds) * 1000; now = performance.now()) {
    const due = Math.floor(((now - began) / 1000) * Number(perSecond));
    while (count < due) {
      for (let i = Math.min(BATCH, due - count); i > 0; i--) {
        queue.push(to, Number(bytes));
        count++;
      }
      queue.send(fd);
    }
    nap(PAUSE);
  }
  return count;
}
