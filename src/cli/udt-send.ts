import { basename } from "node:path";

import { showAddress } from "../core/address.ts";
import { Conversation } from "../net/udt/copy/conversation.ts";
import { askedName, sendPlain } from "../net/udt/copy/libudt.ts";
import { type Copied, sendCopy } from "../net/udt/copy/send.ts";
import { fileSource, pipeSource, type Source } from "../net/udt/copy/source.ts";
import { emitWord, Hello, MAGIC } from "../net/udt/copy/words.ts";
import { UdtLost, type UdtStream } from "../net/udt/stream.ts";
import { EXIT, Exit } from "./exit.ts";
import { readStandard } from "./standard.ts";
import { link, type LinkOptions } from "./udt-link.ts";
import { Teller } from "./udt-progress.ts";

interface Options extends LinkOptions {
  readonly keep?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly name?: string;
}

/** `tern udt send FILE [HOST:PORT]`. */
export default async function udtSend(
  options: Options,
  file: string,
  to?: string,
): Promise<number> {
  using peers = link(to, options);
  const open = (): Promise<Source> =>
    file === "-"
      ? Promise.resolve(pipeSource(options.name ?? "stdin", readStandard))
      : fileSource(file, options.name);
  {
    await using source = await open(); // what cannot be read is told before anybody connects
    if (options.keep && source.size === undefined)
      throw new Exit(EXIT.usage, `${file} can be read once only: it does not go with --keep`);
  }
  if (peers.address !== undefined)
    new Teller(options).say(`${file} is to be had at ${showAddress(peers.address)}`);
  for (;;) {
    const teller = new Teller(options);
    const stream = await peers.next();
    try {
      await using source = await open();
      const copied = await given(stream, source, teller, peers.address === undefined);
      await ended(stream, copied);
      if (copied !== undefined) {
        teller.done("sent", copied, stream);
        if (!options.keep) return EXIT.ok;
      }
    } catch (error) {
      stream.abort();
      if (!options.keep) throw error;
      teller.say(error instanceof Error ? error.message : String(error));
    }
  }
}

/** A recvfile closes when it has the last byte, which may be before we hear that it has it. */
async function ended(stream: UdtStream, copied: Copied | undefined): Promise<void> {
  try {
    await stream.end();
  } catch (error) {
    const plain = copied?.sha256 === undefined;
    if (!plain || !(error instanceof UdtLost) || error.end !== "closed by the peer") throw error;
  }
}

/** Undefined when the peer wanted another file. */
async function given(
  stream: UdtStream,
  source: Source,
  teller: Teller,
  connected: boolean,
): Promise<Copied | undefined> {
  const conversation = new Conversation(stream);
  if (connected) {
    await stream.write(MAGIC);
    await stream.write(emitWord({ role: "send", name: source.name }));
    return sendCopy(conversation, source, teller.progress);
  }
  const first = await conversation.peek(4);
  if (first.some((byte, i) => byte !== MAGIC[i])) {
    const name = await askedName(conversation);
    const copied = await sendPlain(
      conversation,
      basename(name) === source.name ? source : undefined,
      teller.progress,
    );
    if (copied === undefined) teller.say(`${stream.peer} asked for ${name}, and did not get it`);
    return copied;
  }
  await conversation.exactly(MAGIC.length);
  const { role, name } = await conversation.word(Hello);
  const refused =
    role !== "receive"
      ? "this end sends, too"
      : name !== undefined && basename(name) !== source.name
        ? `there is no ${name}`
        : undefined;
  if (refused === undefined) return sendCopy(conversation, source, teller.progress);
  await conversation.say({ name: source.name, refused });
  teller.say(`${stream.peer}: ${refused}`);
  return undefined;
}
