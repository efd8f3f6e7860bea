import { UdtAccept, type UdtAcceptOptions } from "../../../src/wire/udt/accept.ts";
import { Bbr } from "../../../src/wire/udt/congestion/bbr.ts";
import type { Congestion } from "../../../src/wire/udt/congestion/congestion.ts";
import { UdtConnection, type UdtOptions } from "../../../src/wire/udt/connection.ts";
import { Wan, type WanOptions } from "../../fake/wan.ts";

/** Somewhere in the life of a machine: clocks do not begin at 0. */
const BEGIN = 5_000_000;
/** Not a power of two, so that no packet looks like another. */
const PIECE = 64_997;
export const ADDRESS = Uint8Array.of(127, 0, 0, 1);

/** What drives an end: called whenever time has passed for it. */
export type Program = (end: UdtConnection, now: number) => void;
type End = { connection: UdtConnection; program: Program; wan: Wan; peer: number };

/** Connections, links between them, and a clock that jumps from event to event. */
export class World {
  now = BEGIN;
  readonly there: Wan;
  readonly back: Wan;
  readonly #ends: End[] = [];
  readonly #out = new Uint8Array(new ArrayBuffer(65_536));
  /** Loops of events: µs that an end is late. */
  turn: number;

  constructor(there: WanOptions, back: WanOptions = there, turn = 0) {
    this.there = new Wan({ seed: 7, ...there });
    this.back = new Wan({ seed: 11, ...back });
    this.turn = turn;
  }

  /** A client at this side and the listener's connection at the other, hands shaken by a listener over the same links. */
  pair(options: {
    client?: Partial<UdtOptions>;
    server?: Partial<UdtAcceptOptions>;
    congestion?: () => Congestion;
    clientProgram?: Program;
    serverProgram?: Program;
  }): { client: UdtConnection; server: () => UdtConnection | undefined } {
    const congestion = options.congestion ?? (() => new Bbr());
    const n = this.#ends.length;
    const client = new UdtConnection({
      kind: "stream",
      role: "client",
      id: 1000 + n,
      initial: 12_345,
      peerAddress: ADDRESS,
      congestion: congestion(),
      now: this.now,
      ...options.client,
    });
    const accept = new UdtAccept({
      kind: "stream",
      cookie: (peer, minute) => (Bun.hash.crc32(`${peer} ${minute}`) ^ 0x5eed) >>> 0,
      id: () => 2000 + n,
      congestion,
      most: 10,
      ...options.server,
    });
    this.#ends.push({
      connection: client,
      program: options.clientProgram ?? nothing,
      wan: this.there,
      peer: n + 1,
    });
    this.#listeners.set(n + 1, {
      accept,
      program: options.serverProgram ?? nothing,
      wan: this.back,
      peer: n,
    });
    this.#ends.length += 1;
    return { client, server: () => this.#ends[n + 1]?.connection };
  }

  /** Two ends that meet halfway. */
  meet(
    here: UdtConnection,
    there: UdtConnection,
    programs: [Program, Program] = [nothing, nothing],
  ): void {
    const n = this.#ends.length;
    this.#ends.push({ connection: here, program: programs[0], wan: this.there, peer: n + 1 });
    this.#ends.push({ connection: there, program: programs[1], wan: this.back, peer: n });
  }

  /** Lets time pass until `until` says so, or `limit` µs are over. */
  run(limit: number, until: () => boolean = () => false): void {
    const end = this.now + limit;
    const deliver = (to: number, bytes: Uint8Array, from: number, upTo: number): void => {
      const receiver = this.#ends[to];
      if (receiver === undefined) this.#listen(to, bytes, from, upTo);
      else receiver.connection.receive(bytes, from, upTo, this.now);
    };
    while (!until()) {
      for (const one of this.#ends) if (one !== undefined) this.#serve(one);
      let wake = Math.min(this.there.wakeAt, this.back.wakeAt);
      for (const one of this.#ends) {
        if (one !== undefined)
          wake = Math.min(wake, Math.max(one.connection.wakeAt(), this.now + 1));
      }
      if (this.turn > 0) wake = Math.max(wake, this.now + this.turn);
      if (!(wake < end)) break;
      this.now = Math.max(this.now, wake);
      this.there.take(this.now, deliver);
      this.back.take(this.now, deliver);
    }
    if (!until()) this.now = end;
  }

  readonly #listeners = new Map<
    number,
    { accept: UdtAccept; program: Program; wan: Wan; peer: number }
  >();

  #listen(to: number, bytes: Uint8Array, from: number, upTo: number): void {
    const listener = this.#listeners.get(to);
    if (listener === undefined) return;
    const { accept, wan, peer, program } = listener;
    const n = accept.receive(bytes, from, upTo, `peer ${peer}`, ADDRESS, this.now, this.#out, 0);
    if (n > 0) wan.put(this.#out, 0, n, peer, this.now);
    const connection = accept.take();
    if (connection !== undefined) this.#ends[to] = { connection, program, wan, peer };
  }

  #serve(end: End): void {
    end.program(end.connection, this.now);
    const out = this.#out;
    for (let i = 0; i < 10_000; i++) {
      const n = end.connection.poll(this.now, out, 0);
      if (n === 0) return;
      end.wan.put(out, 0, n, end.peer, this.now);
    }
    throw new Error("it never ends");
  }
}

export const nothing: Program = () => {};

/** Sends without end, or `total` bytes and closes (if it `closes`); what it sends differs from place to place. */
export function pouring(
  total = Infinity,
  closes = true,
): Program & { sent: number; hash: Bun.CryptoHasher } {
  const chunk = new Uint8Array(new ArrayBuffer(PIECE)).map((_, i) => (i * 7 + (i >> 8)) & 0xff);
  const program = Object.assign(
    (end: UdtConnection, now: number): void => {
      while (program.sent < total && end.writable > 0) {
        const start = program.sent % chunk.length;
        const taken = end.send(chunk, start, Math.min(chunk.length, start + total - program.sent));
        program.sent += taken;
        if (total < Infinity) program.hash.update(chunk.subarray(start, start + taken));
      }
      if (closes && program.sent >= total) end.close(now);
    },
    { sent: 0, hash: new Bun.CryptoHasher("sha256") },
  );
  return program;
}

/** Reads all there is. */
export function reading(): Program & { bytes: number; hash: Bun.CryptoHasher } {
  const into = new Uint8Array(new ArrayBuffer(PIECE));
  const program = Object.assign(
    (end: UdtConnection): void => {
      for (let n = end.read(into, 0, into.length); n > 0; n = end.read(into, 0, into.length)) {
        program.hash.update(into.subarray(0, n));
        program.bytes += n;
      }
    },
    { bytes: 0, hash: new Bun.CryptoHasher("sha256") },
  );
  return program;
}

/** Reads and counts, and does not look. */
export function counting(): Program & { bytes: number } {
  const program = Object.assign(
    (end: UdtConnection): void => {
      for (let n = end.peek(); n > 0; n = end.peek()) {
        end.skip(n);
        program.bytes += n;
      }
    },
    { bytes: 0 },
  );
  return program;
}
