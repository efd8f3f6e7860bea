import { stat } from "node:fs/promises";
import { basename, join } from "node:path";

import { showAddress } from "../core/address.ts";
import { Conversation } from "../net/udt/copy/conversation.ts";
import { receivePlain } from "../net/udt/copy/libudt.ts";
import { receiveCopy } from "../net/udt/copy/receive.ts";
import type { Copied } from "../net/udt/copy/send.ts";
import { fileSink, pipeSink, type Sink } from "../net/udt/copy/sink.ts";
import { emitWord, Hello, MAGIC } from "../net/udt/copy/words.ts";
import type { UdtStream } from "../net/udt/stream.ts";
import { EXIT, Exit } from "./exit.ts";
import { writeStandard } from "./standard.ts";
import { link, type LinkOptions } from "./udt-link.ts";
import { Teller } from "./udt-progress.ts";

interface Options extends LinkOptions {
  readonly output: string;
  readonly name?: string;
  readonly libudt?: boolean;
  readonly force?: boolean;
  readonly resume: boolean;
  readonly keep?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `tern udt recv [HOST:PORT]`. */
export default async function udtRecv(options: Options, to?: string): Promise<number> {
  using peers = link(to, options);
  if (options.libudt && (peers.address !== undefined || options.name === undefined))
    throw new Exit(
      EXIT.usage,
      "--libudt asks a listening sendfile for a file: HOST:PORT and --name",
    );
  if (peers.address !== undefined)
    new Teller(options).say(`waiting for a file at ${showAddress(peers.address)}`);
  for (;;) {
    const teller = new Teller(options);
    const stream = await peers.next();
    try {
      const copied = await taken(stream, options, teller, peers.address === undefined);
      await stream.end().catch(() => {}); // it is here, and the other may be gone already
      teller.done("received", copied, stream, options.output !== "-");
      if (!options.keep) return EXIT.ok;
    } catch (error) {
      stream.abort();
      if (!options.keep) throw error;
      teller.say(error instanceof Error ? error.message : String(error));
    }
  }
}

async function taken(
  stream: UdtStream,
  options: Options,
  teller: Teller,
  connected: boolean,
): Promise<Copied> {
  const conversation = new Conversation(stream);
  const open = (name: string): Promise<Sink> => sinkFor(name, options);
  if (connected && options.libudt) {
    const name = options.name ?? "";
    await using sink = await open(name);
    return await receivePlain(conversation, name, sink, teller.progress);
  }
  if (connected) {
    await stream.write(MAGIC);
    await stream.write(emitWord({ role: "receive", name: options.name }));
  } else {
    const magic = await conversation.exactly(MAGIC.length);
    if (magic.some((byte, i) => byte !== MAGIC[i]))
      throw new Exit(EXIT.failed, `${stream.peer} does not speak as tern`);
    const { role } = await conversation.word(Hello);
    if (role !== "send") throw new Exit(EXIT.failed, `${stream.peer} would receive, too`);
  }
  return receiveCopy(conversation, open, teller.progress);
}

/** Where a file of that name goes. The name is a stranger's: only its last part counts. */
async function sinkFor(name: string, { output, force, resume, libudt }: Options): Promise<Sink> {
  if (output === "-") return pipeSink(writeStandard);
  const path = (await isDirectory(output)) ? join(output, safeName(name)) : output;
  if (!force && (await exists(path)))
    throw new Exit(EXIT.failed, `${path} exists; --force replaces it`);
  return fileSink(path, resume && !libudt, !libudt);
}

/** One name in a directory, whatever the other calls it. */
export function safeName(name: string): string {
  const last = basename(name.replaceAll("\0", ""));
  return last === "" || last === "." || last === ".." ? "file" : last;
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
