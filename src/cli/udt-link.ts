import { lookup } from "node:dns/promises";

import { type Address, parseAddress, showAddress } from "../core/address.ts";
import { parseRate } from "../core/units.ts";
import { random31 } from "../net/udt/chance.ts";
import type { UdtStream } from "../net/udt/stream.ts";
import { connectUdt, rendezvousUdt, UdtListener, type UdtWishes } from "../net/udt/udt.ts";
import { Aimd } from "../wire/udt/congestion/aimd.ts";
import { Bbr } from "../wire/udt/congestion/bbr.ts";
import type { Congestion } from "../wire/udt/congestion/congestion.ts";
import { FixedRate } from "../wire/udt/congestion/fixed.ts";
import { EXIT, Exit } from "./exit.ts";

/** What all of `tern udt` take. */
export interface LinkOptions {
  readonly listen?: string;
  readonly rendezvous?: boolean;
  readonly from?: string;
  readonly congestion: string;
  readonly rate?: string;
  readonly mss?: string;
}

/** UDT's own limits: headers and a little, and what an IP packet can be. */
const MSS_MIN = 76;
const MSS_MAX = 65_535;
const MSS = 1500;
/** `fixed` without a rate is what 3wdd had: 10 000 packets per second. */
const FIXED_RATE = 120e6;

/** Streams, one after another; ends when there will be no more. */
export interface Link extends Disposable {
  /** Where it waits for others; undefined when it connects. */
  readonly address: Address | undefined;
  next(): Promise<UdtStream>;
}

/**
 * What the command line says: wait for a peer, or connect to `to`, `HOST:PORT`. Throws Exit for a
 * line that makes no sense.
 */
export function link(to: string | undefined, options: LinkOptions): Link {
  const { listen, rendezvous = false, from } = options;
  const mss = options.mss === undefined ? undefined : mssOf(options.mss);
  const wishes: UdtWishes = {
    congestion: congestionOf(options, mss ?? MSS),
    ...(mss !== undefined && { mss }),
    ...(from !== undefined && { from: addressOf(from, "--from") }),
  };
  if ((to === undefined) === (listen === undefined))
    throw new Exit(EXIT.usage, "either HOST:PORT to connect to, or --listen ADDRESS");
  if (listen !== undefined) {
    if (rendezvous)
      throw new Exit(EXIT.usage, "--rendezvous connects to HOST:PORT, and listens nowhere");
    return listening(addressOf(listen, "--listen"), wishes);
  }
  if (rendezvous && from === undefined)
    throw new Exit(
      EXIT.usage,
      "--rendezvous needs --from ADDRESS: the port that the peer connects to",
    );
  const name = nameOf(to ?? "");
  return {
    address: undefined,
    next: async () => {
      const where = await resolved(name);
      return rendezvous ? rendezvousUdt(where, wishes) : connectUdt(where, wishes);
    },
    [Symbol.dispose]: () => {},
  };
}

function listening(address: string, wishes: UdtWishes): Link {
  const came: UdtStream[] = [];
  let wanted: ((stream: UdtStream) => void) | undefined;
  const listener = new UdtListener(
    address,
    (stream) => {
      if (wanted === undefined) came.push(stream);
      else wanted(stream);
      wanted = undefined;
    },
    wishes,
  );
  return {
    address: listener.address,
    next: () => {
      const first = came.shift();
      return first === undefined
        ? new Promise((resolve) => (wanted = resolve))
        : Promise.resolve(first);
    },
    [Symbol.dispose]: () => listener.close(),
  };
}

function congestionOf({ congestion, rate }: LinkOptions, mss: number): () => Congestion {
  const bits = rate === undefined ? undefined : parseRate(rate);
  if (rate !== undefined && bits?.kind !== "bits")
    throw new Exit(
      EXIT.usage,
      `--rate: expected bits or bytes per second such as "90Mbit" or "20MiB/s", got "${rate}"`,
    );
  if (rate !== undefined && congestion !== "fixed")
    throw new Exit(
      EXIT.usage,
      "--rate goes with --congestion fixed: the others find out by themselves",
    );
  switch (congestion) {
    case "bbr":
      return () => new Bbr(random31());
    case "udt":
      return () => new Aimd(random31());
    case "fixed":
      return () => new FixedRate(bits?.perSecond ?? FIXED_RATE, mss);
    default:
      throw new Exit(EXIT.usage, `--congestion: expected bbr, udt or fixed, got "${congestion}"`);
  }
}

function mssOf(text: string): number {
  const mss = Number(text);
  if (!Number.isInteger(mss) || mss < MSS_MIN || mss > MSS_MAX)
    throw new Exit(
      EXIT.usage,
      `--mss: expected bytes from ${MSS_MIN} to ${MSS_MAX}, got "${text}"`,
    );
  return mss;
}

function addressOf(text: string, option: string): string {
  if (parseAddress(text)?.kind !== "tcp")
    throw new Exit(
      EXIT.usage,
      `${option}: expected an address such as ":9000" or "127.0.0.1:9000", got "${text}"`,
    );
  return text;
}

/** `files.example.net:9000`, `[2001:db8::1]:9000`. */
function nameOf(text: string): { host: string; port: number } {
  const [, six, name, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = six ?? name;
  const port = Number(digits);
  if (host === undefined || !(port > 0 && port <= 65_535))
    throw new Exit(EXIT.usage, `expected HOST:PORT, got "${text}"`);
  return { host, port };
}

async function resolved({ host, port }: { host: string; port: number }): Promise<string> {
  try {
    const { address } = await lookup(host);
    return showAddress({ kind: "tcp", host: address, port });
  } catch {
    throw new Exit(EXIT.failed, `${host}: no such host`);
  }
}
