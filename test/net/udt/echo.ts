/** The example of src/net/udt/README.md: an echo server, and somebody who talks to it. */
import { connectUdt, UdtListener } from "../../../src/net/udt/udt.ts";

using server = new UdtListener("127.0.0.1:0", async (stream) => {
  for await (const bytes of stream) await stream.write(bytes);
});

const stream = await connectUdt(`127.0.0.1:${server.address.port}`);
await stream.write(new TextEncoder().encode("hello"));
for await (const bytes of stream) {
  process.stdout.write(bytes);
  break;
}
await stream.end();
