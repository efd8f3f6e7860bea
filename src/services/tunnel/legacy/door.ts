import { createHash } from "node:crypto";

import { type Address, showAddress } from "../../../core/address.ts";
import type { Clock } from "../../../core/clock.ts";
import type { Closable, Lease } from "../../../core/lease.ts";
import type { Reactor } from "../../../net/reactor.ts";
import type { ListenSocket } from "../../../net/sockets.ts";
import { random31 } from "../../../net/udt/chance.ts";
import { UdtEndpoint } from "../../../net/udt/endpoint.ts";
import type { Line } from "../../../net/udt/line.ts";
import { UdtLost, UdtStream } from "../../../net/udt/stream.ts";
import { ServerLogin, WELCOME } from "../../../wire/3wdd/login.ts";
import { Bbr } from "../../../wire/udt/congestion/bbr.ts";
import type { Strangers } from "../strangers.ts";
import { Conversation } from "./conversation.ts";

/** 3wdd's window: 2 760 000 bytes, as powers of two have it. */
const PACKETS = 2048;
/** Connections at once: sessions, and those who are about to say which they are. */
const MOST = 1024;
/** Whoever has not said who he is by then is not heard any more. */
const LOGIN_MS = 5000;

/** A session that a client may come for. */
export interface Awaited {
  readonly key: string;
  /** The client is there: frames come next. Whoever was there before is no more. */
  welcome(conversation: Conversation): void;
}

export function md5(text: string): string {
  return createHash("md5").update(text, "latin1").digest("hex");
}

/** One UDP socket that old tunnels have together. It outlives a reload. */
export class Door implements Closable {
  readonly sessions = new Map<string, Awaited>();
  readonly #address: Address;
  readonly #socket: Lease<ListenSocket>;
  readonly #clock: Clock;
  readonly #endpoint: UdtEndpoint | undefined;
  /** Those who shook hands and were nobody. */
  #refused = 0;

  constructor(parts: {
    address: Address;
    socket: Lease<ListenSocket>;
    reactor: Reactor;
    clock: Clock;
    listens: boolean;
  }) {
    const { address, socket, reactor, clock, listens } = parts;
    this.#address = address;
    this.#socket = socket;
    this.#clock = clock;
    if (socket.value.fds.length === 0) return; // `tern check`
    this.#endpoint = new UdtEndpoint({
      kind: "stream",
      address,
      sockets: socket.value,
      reactor,
      congestion: () => new Bbr(random31()),
      // 3wdd takes each packet for a frame.
      coalesce: false,
      sendPackets: PACKETS,
      receivePackets: PACKETS,
      most: MOST,
    });
    if (listens) this.#endpoint.listen((line) => void this.#came(line));
  }

  /** It is there to be looked at only. */
  get isRehearsal(): boolean {
    return this.#endpoint === undefined;
  }
  get port(): number {
    return this.#socket.value.port;
  }
  get name(): string {
    const address = this.#address;
    return showAddress(address.kind === "tcp" ? { ...address, port: this.port } : address);
  }

  /** What came to its socket and is nobody's. */
  get strangers(): Strangers {
    const { unknown = 0, cookies = 0, refused = 0 } = this.#endpoint?.strangers ?? {};
    return { unknown, cookies, refused: refused + this.#refused };
  }

  /** Shake hands with a server. Rejects with UdtLost. */
  async dial(host: string, port: number): Promise<Conversation> {
    const line = this.#endpoint?.dial("client", host, port, () => {});
    if (line === undefined) throw new UdtLost("no answer", `${host}:${port}`);
    const stream = new UdtStream(line);
    await stream.opened();
    return new Conversation(stream);
  }

  /** Run `talk`, which is lost when it takes longer than a login may. */
  async hurry<T>({ stream }: Conversation, talk: Promise<T>): Promise<T> {
    const done = new AbortController();
    void this.#clock.sleep(LOGIN_MS, done.signal).then(
      () => stream.abort(),
      () => {}, // in time
    );
    try {
      return await talk;
    } finally {
      done.abort();
    }
  }

  async close(): Promise<void> {
    this.#endpoint?.close();
    await this.#socket[Symbol.asyncDispose]();
  }

  async #came(line: Line): Promise<void> {
    const conversation = new Conversation(new UdtStream(line));
    const { stream, host } = conversation;
    const login = new ServerLogin(host, (name) => this.sessions.get(name)?.key, md5);
    try {
      const step = await this.hurry(conversation, conversation.logIn(login));
      const session = this.sessions.get(login.name);
      if (step.kind !== "accepted" || session === undefined) {
        this.#refused++;
        stream.abort();
        return;
      }
      await stream.write(WELCOME);
      session.welcome(conversation);
    } catch (error) {
      if (!(error instanceof UdtLost)) throw error;
      this.#refused++;
    }
  }
}
