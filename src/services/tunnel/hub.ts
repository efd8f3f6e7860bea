import { createHash, randomBytes } from "node:crypto";

import { type Address, showAddress } from "../../core/address.ts";
import type { Closable, Lease } from "../../core/lease.ts";
import type { AeadName } from "../../net/aead/aead.ts";
import { preferredAead } from "../../net/aead/choice.ts";
import { noisePrimitives } from "../../net/aead/noise-primitives.ts";
import { type Reactor, READABLE, WRITABLE } from "../../net/reactor.ts";
import type { ListenSocket } from "../../net/sockets.ts";
import { joinsTrains, routeTo, TrainReceiver } from "../../sys/datagram-trains.ts";
import type { Route } from "../../sys/datagram.ts";
import type { Block } from "../../sys/memory.ts";
import { boundTo } from "../../sys/socket-options.ts";
import { MAX_PACKET } from "../../sys/tun.ts";
import { Crowd } from "../../wire/noise/crowd.ts";
import { Doorman } from "../../wire/noise/doorman.ts";
import { IndexTable, type Receiver } from "../../wire/noise/index-table.ts";
import { counterAt, kindOf, receiverOf } from "../../wire/noise/message.ts";
import { keysOf } from "../../wire/noise/primitives.ts";
import { TERN, WIREGUARD } from "../../wire/noise/protocol.ts";
import { type Identity, readInitiation, type Session } from "../../wire/noise/session.ts";
import { Departures } from "./departures.ts";
import type { Lane } from "./lane.ts";
import { AROUND, HEADER, type Link, TERN_DATA, WIREGUARD_DATA } from "./link.ts";

/** Trains that one system call reads. */
const TRAINS = 8;
/** System calls before the neighbours in the event loop get their turn. */
const MAX_ROUNDS = 4;
/** Nobody can be answered there. */
const NO_PORT = 0;

/** Every hub of the thread reads into it; nothing in it lasts beyond `#ready`. */
let shared: { readonly trains: TrainReceiver; readonly block: Block } | undefined;

/** One private key under one protocol, and who may speak to it. */
export interface Resident {
  readonly identity: Identity;
  readonly doorman: Doorman;
  /** By public key, in hexadecimal. */
  readonly links: Map<string, Link>;
}

export interface HubParts {
  readonly address: Address;
  readonly socket: Lease<ListenSocket>;
  readonly reactor: Reactor;
}

/** What nobody knows whose it is. */
export interface Strangers {
  /** No datagram of ours, or for nobody. */
  unknown: number;
  /** Handshakes that were refused: who does not know us, or comes too often. */
  refused: number;
  /** Handshakes that were answered by a cookie. */
  cookies: number;
}

/** One UDP socket and all the links that have it. It outlives a reload. */
export class Hub implements Closable {
  readonly departures = new Departures(MAX_PACKET);
  readonly dice = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
  readonly wall = Date.now;
  readonly indices = new IndexTable<Lane, Session<Lane>>(this.dice);
  readonly preferredCipher: AeadName = preferredAead();
  readonly strangers: Strangers = { unknown: 0, refused: 0, cookies: 0 };
  readonly #parts: HubParts;
  readonly #residents = new Map<string, Resident>();
  readonly #links = new Map<Session<Lane>, Link>();
  readonly #crowd = new Crowd();
  readonly #mapped: boolean;
  /** Links that got something from the train at hand. */
  readonly #touched = new Set<Link>();
  #blocked = false;
  readonly #waiting = new Set<() => void>();
  #forgetTurn: (() => void) | undefined;

  constructor(parts: HubParts) {
    this.#parts = parts;
    const at = this.#fd < 0 ? undefined : boundTo(this.#fd);
    this.#mapped =
      at?.kind === "inet6" && parts.address.kind === "tcp" && parts.address.host === "";
    for (const fd of parts.socket.value.fds) {
      joinsTrains(fd);
      parts.reactor.add(fd, READABLE, this.#ready);
    }
    if (this.#fd >= 0) this.#forgetTurn = parts.reactor.onTurn(this.#turn);
  }

  get #fd(): number {
    return this.#parts.socket.value.fds[0] ?? -1;
  }
  /** It is there to be looked at only: `tern check`. */
  get isRehearsal(): boolean {
    return this.#fd < 0;
  }
  get now(): number {
    return this.#parts.reactor.now;
  }
  get port(): number {
    return this.#parts.socket.value.port;
  }
  /** Its address, with the port that the kernel chose. */
  get name(): string {
    const { address } = this.#parts;
    return showAddress(address.kind === "tcp" ? { ...address, port: this.port } : address);
  }
  get links(): Iterable<Link> {
    return this.#links.values();
  }

  /** The way to an IP address from here. */
  routeTo(host: string, port: number): Route | undefined {
    return routeTo(host, port, this.#mapped);
  }

  /** Our end for one private key. */
  resident(privateKey: Uint8Array, wireguard: boolean): Resident {
    const name = createHash("sha256").update(privateKey).digest("hex") + String(wireguard);
    const known = this.#residents.get(name);
    if (known !== undefined) return known;
    const primitives = noisePrimitives;
    const keys = keysOf(primitives, privateKey);
    const protocol = wireguard ? WIREGUARD : TERN;
    const made: Resident = {
      identity: { primitives, protocol, keys },
      doorman: new Doorman(primitives, protocol, keys.publicKey, this.dice),
      links: new Map(),
    };
    this.#residents.set(name, made);
    return made;
  }

  add(link: Link, resident: Resident): void {
    resident.links.set(hex(link.peerKey), link);
    this.#links.set(link.session, link);
  }

  remove(link: Link, resident: Resident): void {
    this.#links.delete(link.session);
    if (resident.links.get(hex(link.peerKey)) === link) resident.links.delete(hex(link.peerKey));
    if (resident.links.size > 0) return;
    for (const [name, one] of this.#residents) if (one === resident) this.#residents.delete(name);
  }

  /** Send a handshake. */
  post(route: Route, bytes: Uint8Array): void {
    const { departures } = this;
    if (departures.full && !this.send()) return;
    departures.block.bytes.set(bytes, departures.next);
    departures.add(route, bytes.length);
  }

  /** Send what there is. False: the socket is full; whoever waits by `whenFree` is told. */
  send(): boolean {
    if (this.departures.send(this.#fd)) {
      if (this.#blocked) this.#unblock();
      return true;
    }
    if (!this.#blocked) {
      this.#blocked = true;
      this.#parts.reactor.modify(this.#fd, READABLE | WRITABLE);
    }
    return false;
  }

  get blocked(): boolean {
    return this.#blocked;
  }
  /** Once, when the socket takes more. */
  whenFree(resume: () => void): void {
    this.#waiting.add(resume);
  }

  async close(): Promise<void> {
    this.#forgetTurn?.();
    for (const fd of this.#parts.socket.value.fds) this.#parts.reactor.remove(fd);
    await this.#parts.socket[Symbol.asyncDispose]();
  }

  #unblock(): void {
    this.#blocked = false;
    this.#parts.reactor.modify(this.#fd, READABLE);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }

  readonly #turn = (now: number): void => {
    for (const link of this.#links.values()) link.tick(now);
    if (!this.#blocked) this.send();
  };

  readonly #ready = (events: number, fd: number): void => {
    if ((events & WRITABLE) !== 0) this.send();
    if (shared === undefined) {
      const trains = new TrainReceiver(TRAINS);
      const { bytes, at } = trains;
      const view = new DataView(bytes.buffer);
      shared = { trains, block: { buffer: bytes.buffer, bytes, view, at } };
    }
    const { trains } = shared;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const count = trains.receive(fd);
      for (let i = 0; i < count; i++) this.#train(shared.block, trains, i);
      for (const link of this.#touched) link.sink?.flush();
      this.#touched.clear();
      if (count < TRAINS) break;
    }
    if (!this.#blocked) this.send();
  };

  #train(block: Block, trains: TrainReceiver, i: number): void {
    const start = i * trains.room;
    const end = start + trains.lengthOf(i);
    const step = trains.segmentOf(i);
    const { view } = block;
    /** Whose datagrams these are, and how many in a row were data of theirs. */
    let index = -1;
    let to: Receiver<Lane, Session<Lane>> | undefined;
    let accepted = 0;
    let data = false;
    for (let at = start; at < end; at += step) {
      const length = Math.min(step, end - at);
      const type = length >= AROUND ? view.getUint32(at, true) : 0;
      if (type !== TERN_DATA && type !== WIREGUARD_DATA) {
        this.#handshake(block.bytes.slice(at, at + length), trains, i);
        continue;
      }
      const wanted = view.getUint32(at + 4, true);
      if (wanted !== index) {
        if (accepted > 0) this.#heard(to, trains, i, data);
        index = wanted;
        to = this.indices.find(wanted);
        accepted = 0;
        data = false;
      }
      const plain = this.#open(block, at, length, type, to);
      if (plain < 0) continue;
      accepted++;
      if (plain > 0) data = true;
    }
    if (accepted > 0) this.#heard(to, trains, i, data);
  }

  /** Bytes of plaintext in a datagram; -1: it is to be dropped, and was counted. */
  #open(
    block: Block,
    at: number,
    length: number,
    type: number,
    to: Receiver<Lane, Session<Lane>> | undefined,
  ): number {
    const keypair = to?.keypair;
    if (keypair === undefined) {
      this.strangers.unknown++;
      return -1;
    }
    const { link, opener } = keypair.keys;
    const { traffic, sink } = link;
    if (link.wireguard !== (type === WIREGUARD_DATA) || sink === undefined) {
      this.strangers.unknown++;
      return -1;
    }
    const counter = counterAt(block.view, at + 8, !link.wireguard);
    if (!keypair.window.isFresh(counter) || !link.session.isReceiving(keypair, this.now)) {
      traffic.replayed++;
      return -1;
    }
    const plain = length - AROUND;
    if (!opener.open(counter, block, at + HEADER, plain, sink.block, sink.next)) {
      traffic.forged++;
      return -1;
    }
    keypair.window.accept(counter);
    traffic.received++;
    traffic.receivedBytes += length;
    link.opened(plain);
    return plain;
  }

  /** Authentic datagrams came in train `i`. */
  #heard(
    to: Receiver<Lane, Session<Lane>> | undefined,
    trains: TrainReceiver,
    i: number,
    data: boolean,
  ): void {
    const keypair = to?.keypair;
    if (keypair === undefined) return;
    const { link } = keypair.keys;
    const { now } = this;
    this.#touched.add(link);
    if (link.route === undefined || !trains.cameFrom(i, link.route)) link.moved(trains.routeOf(i));
    const isNew = link.session.received(keypair, data && link.wireguard, now);
    link.heard(now);
    if (isNew && link.route !== undefined) link.agreed(link.route, now);
  }

  #handshake(bytes: Uint8Array, trains: TrainReceiver, i: number): void {
    const { now } = this;
    for (const { identity, doorman, links } of this.#residents.values()) {
      const kind = kindOf(bytes, identity.protocol);
      if (kind === undefined || kind === "data") continue;
      if (kind === "cookie") {
        this.indices.find(receiverOf(bytes))?.session.takeCookie(bytes, now);
        return;
      }
      if (!doorman.knowsUs(bytes)) continue;
      const route = trains.routeOf(i);
      if (portOf(route) === NO_PORT) return;
      if (this.#crowd.arrived(now) && !doorman.hasCookie(bytes, route.name, now)) {
        this.strangers.cookies++;
        this.post(route, doorman.cookieFor(bytes, route.name, now));
        return;
      }
      if (kind === "response") {
        const session = this.indices.find(receiverOf(bytes))?.session;
        const link = session && this.#links.get(session);
        if (link === undefined || link.held || !session?.takeResponse(bytes, now))
          this.strangers.refused++;
        else link.agreed(route, now);
        return;
      }
      const first = readInitiation(identity, bytes, (key) => links.get(hex(key))?.session);
      const link = first && this.#links.get(first.peer);
      const wanted = first !== undefined && link !== undefined && !link.held;
      if (!wanted || !link.session.answer(bytes, first, now)) {
        this.strangers.refused++;
        return;
      }
      link.moved(route);
      link.drive(now);
      return;
    }
    this.strangers.unknown++;
  }
}

/** Of an address in a route: behind the family. */
function portOf({ name }: Route): number {
  return ((name[2] ?? 0) << 8) | (name[3] ?? 0);
}

function hex(key: Uint8Array): string {
  return Buffer.from(key).toString("hex");
}
