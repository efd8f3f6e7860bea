import type { Block } from "../../sys/memory.ts";
import { TrainReceiver } from "../../sys/train-receiver.ts";
import type { Receiver } from "../../wire/noise/index-table.ts";
import type { Keypair } from "../../wire/noise/keypair.ts";
import { counterAt } from "../../wire/noise/message.ts";
import type { Session } from "../../wire/noise/session.ts";
import type { Hub } from "./hub.ts";
import type { Lane } from "./lane.ts";
import { AROUND, HEADER, type Link, TERN_DATA, WIREGUARD_DATA } from "./link.ts";

/** Trains that one system call reads. */
const TRAINS = 8;
/** System calls before the neighbours in the event loop get their turn. */
const MAX_ROUNDS = 4;

/** Every hub of the thread reads into it; nothing in it lasts beyond `receive`. */
let shared: { readonly trains: TrainReceiver; readonly block: Block } | undefined;

/** Whose some datagrams in a row are. */
type Whose = Receiver<Lane, Session<Lane>> | undefined;

/** Datagrams that come to one socket, opened and given to their links. */
export class Arrivals {
  readonly #hub: Hub;
  /** Links that got something from the trains at hand. */
  readonly #touched = new Set<Link>();
  /** Other sockets that something was passed on to. */
  readonly #others = new Set<Hub>();

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  /** Take what is there to be read. */
  receive(fd: number): void {
    if (shared === undefined) {
      const trains = new TrainReceiver(TRAINS);
      const { bytes, at } = trains;
      const view = new DataView(bytes.buffer);
      shared = { trains, block: { buffer: bytes.buffer, bytes, view, at } };
    }
    const { trains, block } = shared;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const count = trains.receive(fd);
      for (let i = 0; i < count; i++) this.#train(block, trains, i);
      for (const link of this.#touched) link.sink?.flush();
      this.#touched.clear();
      if (count < TRAINS) break;
    }
    for (const hub of this.#others) if (!hub.blocked) hub.send();
    this.#others.clear();
  }

  #train(block: Block, trains: TrainReceiver, i: number): void {
    const start = i * trains.room;
    const end = start + trains.lengthOf(i);
    const step = trains.segmentOf(i);
    const { view } = block;
    const { indices, reception } = this.#hub;
    /** Whose datagrams these are, and how many in a row were data of theirs. */
    let index = -1;
    let to: Whose;
    let accepted = 0;
    let data = false;
    for (let at = start; at < end; at += step) {
      const length = Math.min(step, end - at);
      const type = length >= AROUND ? view.getUint32(at, true) : 0;
      if (type !== TERN_DATA && type !== WIREGUARD_DATA) {
        const bytes = block.bytes.slice(at, at + length);
        if (!reception.handshake(bytes, trains, i)) this.#stranger(bytes, trains, i);
        continue;
      }
      const wanted = view.getUint32(at + 4, true);
      if (wanted !== index) {
        if (accepted > 0) this.#heard(to, trains, i, data);
        index = wanted;
        to = indices.find(wanted);
        accepted = 0;
        data = false;
      }
      if (to?.keypair === undefined) {
        this.#stranger(block.bytes.subarray(at, at + length), trains, i);
        continue;
      }
      const plain = this.#open(block, at, length, type, to.keypair);
      if (plain < 0) continue;
      accepted++;
      if (plain > 0) data = true;
    }
    if (accepted > 0) this.#heard(to, trains, i, data);
  }

  /** Bytes of plaintext in a datagram; -1: it is to be dropped, and was counted. */
  #open(block: Block, at: number, length: number, type: number, keypair: Keypair<Lane>): number {
    const { link, opener } = keypair.keys;
    const { traffic, sink } = link;
    if (link.wireguard !== (type === WIREGUARD_DATA) || sink === undefined) {
      this.#hub.strangers.unknown++;
      return -1;
    }
    const counter = counterAt(block.view, at + 8, !link.wireguard);
    if (!keypair.window.isFresh(counter) || !link.session.isReceiving(keypair, this.#hub.now)) {
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

  /** A datagram that is for nobody here: if it comes from a peer with a relay, it is for the other one. */
  #stranger(bytes: Uint8Array, trains: TrainReceiver, i: number): void {
    for (const link of this.#hub.reception.links) {
      const { relay, route, alive } = link;
      if (relay === undefined || route === undefined || !alive || !trains.cameFrom(i, route))
        continue;
      link.passOn(bytes);
      if (relay.hub !== this.#hub) this.#others.add(relay.hub);
      return;
    }
    this.#hub.strangers.unknown++;
  }

  /** Authentic datagrams came in train `i`. */
  #heard(to: Whose, trains: TrainReceiver, i: number, data: boolean): void {
    const keypair = to?.keypair;
    if (keypair === undefined) return;
    const { link } = keypair.keys;
    const { now } = this.#hub;
    this.#touched.add(link);
    if (link.route === undefined || !trains.cameFrom(i, link.route)) link.moved(trains.routeOf(i));
    const isNew = link.session.received(keypair, data && link.wireguard, now);
    link.heard(now);
    if (isNew && link.route !== undefined) link.agreed(link.route, now);
  }
}
