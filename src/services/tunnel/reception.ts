import { createHash } from "node:crypto";

import { noisePrimitives } from "../../net/aead/noise-primitives.ts";
import type { Route } from "../../sys/datagram-route.ts";
import type { TrainReceiver } from "../../sys/train-receiver.ts";
import { Crowd } from "../../wire/noise/crowd.ts";
import { Doorman } from "../../wire/noise/doorman.ts";
import { kindOf, receiverOf } from "../../wire/noise/message.ts";
import { keysOf } from "../../wire/noise/primitives.ts";
import { TERN, WIREGUARD } from "../../wire/noise/protocol.ts";
import { Ration } from "../../wire/noise/ration.ts";
import type { Identity } from "../../wire/noise/session-options.ts";
import { readInitiation, type Session } from "../../wire/noise/session.ts";
import type { Hub } from "./hub.ts";
import type { Lane } from "./lane.ts";
import type { Link } from "./link.ts";

/** Nobody can be answered there. */
const NO_PORT = 0;
/** Bytes of an address of IPv6 as the kernel has it, and what one of IPv4 has in front there. */
const SOCKADDR_IN6 = 28;
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const;

/** One private key under one protocol, and who may speak to it. */
export interface Resident {
  readonly identity: Identity;
  readonly doorman: Doorman;
  /** By public key, in hexadecimal. */
  readonly links: Map<string, Link>;
}

/** Handshakes that come to one socket: whose they are, and who is let in. */
export class Reception {
  readonly #hub: Hub;
  readonly #residents = new Map<string, Resident>();
  readonly #links = new Map<Session<Lane>, Link>();
  readonly #crowd = new Crowd();
  readonly #ration: Ration;

  constructor(hub: Hub) {
    this.#hub = hub;
    this.#ration = new Ration(new DataView(hub.dice(4).buffer).getUint32(0));
  }

  get links(): Iterable<Link> {
    return this.#links.values();
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
      doorman: new Doorman(primitives, protocol, keys.publicKey, this.#hub.dice),
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

  /** A datagram of train `i` that is no data. False: it is for none of us. */
  handshake(bytes: Uint8Array, trains: TrainReceiver, i: number): boolean {
    const { now, indices } = this.#hub;
    for (const { identity, doorman, links } of this.#residents.values()) {
      const kind = kindOf(bytes, identity.protocol);
      if (kind === undefined || kind === "data") continue;
      if (kind === "cookie") {
        const session = indices.find(receiverOf(bytes))?.session;
        session?.takeCookie(bytes, now);
        return session !== undefined;
      }
      if (!doorman.knowsUs(bytes)) continue;
      const route = trains.routeOf(i);
      if (portOf(route) === NO_PORT) return true;
      if (this.#crowd.arrived(now)) {
        if (!doorman.hasCookie(bytes, route.name, now)) {
          this.#hub.strangers.cookies++;
          this.#hub.post(route, doorman.cookieFor(bytes, route.name, now));
          return true;
        }
        if (!this.#ration.take(hostOf(route), now)) {
          this.#hub.strangers.refused++;
          return true;
        }
      }
      const heard =
        kind === "response"
          ? this.#response(bytes, route)
          : this.#initiation({ identity, links }, bytes, route);
      if (!heard) this.#hub.strangers.refused++;
      return true;
    }
    return false;
  }

  #response(bytes: Uint8Array, route: Route): boolean {
    const { now, indices } = this.#hub;
    const session = indices.find(receiverOf(bytes))?.session;
    const link = session && this.#links.get(session);
    if (link === undefined || link.held || !session?.takeResponse(bytes, now)) return false;
    link.agreed(route, now);
    return true;
  }

  #initiation(
    { identity, links }: Pick<Resident, "identity" | "links">,
    bytes: Uint8Array,
    route: Route,
  ): boolean {
    const { now } = this.#hub;
    const first = readInitiation(identity, bytes, (key) => links.get(hex(key))?.session);
    const link = first && this.#links.get(first.peer);
    const wanted = first !== undefined && link !== undefined && !link.held;
    if (!wanted || !link.session.answer(bytes, first, now)) return false;
    link.moved(route);
    link.drive(now);
    return true;
  }
}

/** Of an address in a route: behind the family. */
function portOf({ name }: Route): number {
  return ((name[2] ?? 0) << 8) | (name[3] ?? 0);
}

/** The address in it, or the network of it that one is given (IPv6: 64 bits), behind the port. */
function hostOf({ name }: Route): Uint8Array {
  if (name.length < SOCKADDR_IN6) return name.subarray(4, 8);
  const mapped = MAPPED.every((byte, i) => name[8 + i] === byte);
  return mapped ? name.subarray(20, 24) : name.subarray(8, 16);
}

function hex(key: Uint8Array): string {
  return Buffer.from(key).toString("hex");
}
