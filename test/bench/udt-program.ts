/**
 * One end of a bulk transfer, as appclient and appserver are: `receive ADDRESS` until the peer closes, or
 * `send ADDRESS SECONDS [close]`. What was moved is told as JSON.
 */
import { connectUdt, UdtListener } from "../../src/net/udt/udt.ts";

/** What appclient sends with one call. */
const PIECE = 100_000;

const [what, address = "", seconds, close] = process.argv.slice(2);

if (what === "receive") {
  const listener = new UdtListener(address, async (stream) => {
    const piece = new Uint8Array(PIECE);
    const began = performance.now();
    let bytes = 0;
    let last = began;
    for (let n = await stream.read(piece); n > 0; n = await stream.read(piece)) {
      bytes += n;
      last = performance.now();
    }
    process.stdout.write(`${JSON.stringify({ bytes, seconds: (last - began) / 1000 })}\n`);
    listener.close();
  });
  process.stdout.write("ready\n");
} else {
  const stream = await connectUdt(address);
  const piece = new Uint8Array(PIECE).fill(0x74);
  const began = performance.now();
  const end = began + Number(seconds) * 1000;
  let bytes = 0;
  for (; performance.now() < end; bytes += PIECE) await stream.write(piece);
  await stream.delivered();
  const took = (performance.now() - began) / 1000;
  process.stdout.write(`${JSON.stringify({ bytes, seconds: took, ...stream.stats })}\n`);
  if (close === "close") await stream.end();
  // Else the connection stays, and with it this process, to be looked at from outside and then ended.
}
