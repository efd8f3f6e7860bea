import { showAddress } from "../core/address.ts";
import type { UdtStream } from "../net/udt/stream.ts";
import { EXIT } from "./exit.ts";
import { readStandard, writeStandard } from "./standard.ts";
import { complain } from "./terminal.ts";
import { link, type LinkOptions } from "./udt-link.ts";

interface Options extends LinkOptions {
  readonly wait?: boolean;
  readonly quiet?: boolean;
}

const PIECE = 256 * 1024;

/**
 * `tern udt cat [HOST:PORT]`: standard input to the peer, what it sends to standard output. UDT has
 * no way to say "I have no more but go on": when the input ends, so does the connection; unless
 * there was no input at all, or `--wait`.
 */
export default async function udtCat(options: Options, to?: string): Promise<number> {
  using peers = link(to, options);
  if (peers.address !== undefined && !options.quiet)
    complain(`waiting at ${showAddress(peers.address)}`);
  const stream = await peers.next();
  const ends = new AbortController();
  const out = output(stream).finally(() => ends.abort());
  const sent = await input(stream, ends.signal);
  if (ends.signal.aborted || options.wait || sent === 0) await out;
  else await stream.end();
  await out;
  return EXIT.ok;
}

/** Everything from standard input; how many bytes that was. */
async function input(stream: UdtStream, ends: AbortSignal): Promise<number> {
  const piece = new Uint8Array(PIECE);
  const ended = new Promise<undefined>((resolve) =>
    ends.addEventListener("abort", () => resolve(undefined), { once: true }),
  );
  let sent = 0;
  for (;;) {
    const n = await Promise.race([readStandard(piece), ended]);
    if (n === undefined || n === 0) return sent;
    await stream.write(piece.subarray(0, n));
    sent += n;
  }
}

async function output(stream: UdtStream): Promise<void> {
  const piece = new Uint8Array(PIECE);
  for (;;) {
    const n = await stream.read(piece);
    if (n === 0) return;
    await writeStandard(piece.subarray(0, n));
  }
}
