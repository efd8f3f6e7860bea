import { Secret } from "../../../../src/config/secret.ts";
import { Lrrr } from "../../../../src/services/dns/lrrr/lrrr.ts";
import { showName } from "../../../../src/wire/dns/name.ts";
import { TYPE } from "../../../../src/wire/dns/types.ts";
import { SECTION } from "../../../../src/wire/dns/writer.ts";
import { ask, lowerWire, type Told } from "../names/ask.ts";

/** Two sides with clocks of their own, and a world in which time passes on the way. */
export class World {
  now = 1_000_000;
  readonly left: Side;
  readonly right: Side;

  constructor(
    wish: { skew?: number; ttl?: number; secrets?: [string, string]; hosts?: string[] } = {},
  ) {
    const { skew = 0, ttl = 3_600_000, secrets = ["sesame", "sesame"], hosts = ["ga"] } = wish;
    this.left = new Side(this, "left", 0, ttl, secrets[0], hosts);
    this.right = new Side(this, "right", skew, ttl, secrets[1], hosts);
  }

  /** The server a name is delegated to. */
  sideOf(name: string, asks: "left" | "right"): Side {
    if (name.endsWith(".l.test.")) return this.left;
    return name.endsWith(".r.test.") ? this.right : this[asks];
  }
}

export class Side {
  readonly #world: World;
  readonly #lrrr: Lrrr<{ name: Uint8Array; ttl: number }>;
  /** How far the wall clock is off. Milliseconds. */
  skew: number;

  constructor(
    world: World,
    side: "left" | "right",
    skew: number,
    ttl: number,
    secret: string,
    hosts: string[],
  ) {
    this.#world = world;
    this.skew = skew;
    const suffix = side === "left" ? "l.test" : "r.test";
    this.#lrrr = new Lrrr(
      {
        side,
        left: "l.test",
        right: "r.test",
        suffix: "i.test",
        secret: new Secret(secret),
        prefix: "lr",
        ttl,
      },
      hosts.map((host) => ({ name: lowerWire(`${host}.${suffix}`), ttl: 100 })),
    );
  }

  get networks(): number {
    return this.#lrrr.networks;
  }

  ask(name: string, from: string, type = "A"): Told {
    const { now } = this.#world;
    return ask(
      (query, via, writer) =>
        this.#lrrr.answer(
          query,
          { ...via, now, wall: 1_800_000_000_000 + now + this.skew },
          writer,
          ({ name: to }) => {
            const side = showName(to).endsWith(".l.test.") ? 1 : 2;
            writer.add(SECTION.ANSWER, to, TYPE.A, 1, 100, Uint8Array.of(10, 0, 0, side));
          },
        ),
      name,
      { from, type },
    );
  }
}

export interface Journey {
  /** The address it came to; undefined when it led nowhere. */
  readonly address: string | undefined;
  /** Every name asked for and the side asked. */
  readonly asked: readonly string[];
  readonly ttls: readonly (number | undefined)[];
}

export interface Ways {
  readonly left: number;
  readonly right: number;
  /** Which server of the public name it happens to ask. */
  readonly asks: "left" | "right";
  /** Its address; for each leg another, for a farm. */
  readonly from?: string | ((leg: number) => string);
  /** Called with each leg before it is asked: losses, pauses. */
  readonly before?: (leg: number) => void;
}

/** What a resolver does: ask, wait for as long as the way takes, follow the CNAME. */
export function resolve(world: World, name: string, ways: Ways): Journey {
  const asked: string[] = [];
  const ttls: (number | undefined)[] = [];
  let next = name;
  for (let leg = 0; leg < 20; leg++) {
    ways.before?.(leg);
    const side = world.sideOf(next, ways.asks);
    const rtt = side === world.left ? ways.left : ways.right;
    const from = typeof ways.from === "function" ? ways.from(leg) : (ways.from ?? "192.0.2.53");
    world.now += rtt / 2;
    const told = side.ask(next, from);
    world.now += rtt / 2;
    asked.push(next);
    ttls.push(told.ttl);
    // As unbound and BIND do, believe what is below the same suffix.
    const address = told.answers.find((one) => one.startsWith("A "))?.slice(2);
    const alias = told.answers.find((one) => one.startsWith("CNAME "))?.slice("CNAME ".length);
    if (address !== undefined) return { address, asked, ttls };
    if (alias === undefined) return { address: undefined, asked, ttls };
    next = alias;
    if (/^ga\.[lr]\.test\.$/.test(next)) {
      const there = next.includes(".l.") ? "10.0.0.1" : "10.0.0.2"; // a plain computed name
      return { address: there, asked: [...asked, next], ttls };
    }
  }
  return { address: undefined, asked, ttls };
}
