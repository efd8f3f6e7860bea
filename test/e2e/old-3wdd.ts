/**
 * A client of 3wdd, written by its description alone and nothing of src but UDT: logs in, answers one
 * ping by itself, and says what it saw. Arguments: server, port, session, token, our address inside.
 */
import { createCipheriv, createDecipheriv, createHash } from "node:crypto";

import { connectUdt } from "../../src/net/udt/udt.ts";

const [server = "", port = "", session = "", token = ""] = process.argv.slice(2);
const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
const stream = await connectUdt(`${server}:${port}`, { coalesce: false });
let come = Buffer.alloc(0);

async function take(length: number): Promise<Buffer> {
  const piece = new Uint8Array(4096);
  while (come.length < length) {
    const n = await stream.read(piece);
    if (n === 0) throw new Error("the server closed");
    come = Buffer.concat([come, piece.subarray(0, n)]);
  }
  const taken = come.subarray(0, length);
  come = come.subarray(length);
  return taken;
}
async function say(bytes: Buffer): Promise<void> {
  await stream.write(new Uint8Array(bytes));
}
async function sayText(text: string): Promise<void> {
  const length = Buffer.alloc(4);
  length.writeInt32BE(text.length);
  await say(length);
  await say(Buffer.from(text));
}

await sayText(`${session}:${server}:${port}:1`);
const own = (await take((await take(4)).readInt32BE())).toString();
const key = md5(`${session}#${token}`);
await sayText(md5(`${key}#${server}#${own}`));
const verdict = (await take(4)).readInt32BE();

// One packet comes, hidden by AES-256-ECB with the key's letters: it is turned round and sent back.
const body = await take((await take(2)).readUInt16BE());
const open = createDecipheriv("aes-256-ecb", Buffer.from(key), null);
const packet = Buffer.concat([open.update(body), open.final()]);
const [from, to] = [Buffer.from(packet.subarray(12, 16)), Buffer.from(packet.subarray(16, 20))];
to.copy(packet, 12);
from.copy(packet, 16);
packet[20] = 0; // echo reply: its checksum is 0x0800 more
packet.writeUInt16BE(
  ((packet.readUInt16BE(22) + 0x0800) % 0x1_0000) + (packet.readUInt16BE(22) >= 0xf800 ? 1 : 0),
  22,
);
const hide = createCipheriv("aes-256-ecb", Buffer.from(key), null);
const answer = Buffer.concat([hide.update(packet), hide.final()]);
const head = Buffer.alloc(2);
head.writeUInt16BE(answer.length);
// In two pieces, as a stream may cut it.
await say(Buffer.concat([head, answer.subarray(0, 5)]));
await say(answer.subarray(5));
process.stdout.write(JSON.stringify({ own, verdict }));
await Bun.sleep(1000);
stream.abort();
process.exit(0);
