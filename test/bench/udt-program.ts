/**
 * One end of a bulk transfer, as appclient and appserver are: `receive PORT` until the peer closes, or
 * `send PORT SECONDS`, over loopback. What was moved is told as JSON.
 */
import { connectUdt, UdtListener } from "../../src/net/udt/udt.ts";

/** What appclient sends with one call. */
const PIECE = 100_000;
const LOOPBACK = "127.0.0.1";

const [what, port, seconds] = process.argv.slice(2);

if (what === "receive") {
  const listener = new UdtListener(`${LOOPBACK}:${port}`, async (stream) => {
    const piece = new Uint8Array(PIECE);
    while ((await stream.read(piece)) > 0);
    listener.close();
  });
  process.stdout.write("ready\n");
} else {
  const stream = await connectUdt(`${LOOPBACK}:${port}`);
  const piece = new Uint8Array(PIECE).fill(0x74);
  const began = performance.now();
  const end = began + Number(seconds) * 1000;
  let bytes = 0;
  for (; performance.now() < end; bytes += PIECE) await stream.write(piece);
  await stream.delivered();
  const took = (performance.now() - began) / 1000;
  process.stdout.write(`${JSON.stringify({ bytes, seconds: took, ...stream.stats })}\n`);
  // The connection stays, and with it this process, to be looked at from outside and then ended.
}
