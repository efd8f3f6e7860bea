import { parseIp } from "../core/ip.ts";

/** Wrong passwords that cost no waiting: people mistype. */
const FREE = 5;
/** The wait after the first one too many; every further one doubles it. */
const FIRST_WAIT_MS = 1000;
/** An address may be shut out for long: its owner is the one guessing. */
const ADDRESS_WAIT_MS = 15 * 60_000;
/** A name only shortly: its owner is not, and wants to come in. */
const NAME_WAIT_MS = 30_000;
/** Without a failure for this long, the past is forgotten. */
const FORGET_MS = 60 * 60_000;
/** Who came in from where lately is not kept waiting because somebody else guesses at the name. */
const TRUST_MS = 12 * 60 * 60_000;
const MAX_KEYS = 10_000;

type Tally = { failures: number; last: number };

/**
 * How long an address and a name must wait between guesses. An attempt counts as failed from the
 * moment it begins, so that many at once are no way around. Names that do not exist are treated
 * like those that do.
 */
export class Attempts {
  #addresses = new Map<string, Tally>();
  #names = new Map<string, Tally>();
  #trusted = new Map<string, number>();

  /** 0: go on, it is counted. Otherwise milliseconds to wait; nothing is counted. */
  begin(address: string, name: string, now: number): number {
    const from = network(address);
    const trusted = this.#trusted.get(`${from} ${name}`);
    if (trusted === undefined || now >= trusted) {
      const wait = Math.max(
        waitOf(this.#addresses.get(from), ADDRESS_WAIT_MS, now),
        waitOf(this.#names.get(name), NAME_WAIT_MS, now),
      );
      if (wait > 0) return wait;
    }
    fail(this.#addresses, from, now);
    fail(this.#names, name, now);
    return 0;
  }

  /** The attempt was right after all: it alone is taken back, so that coming in buys no guesses. */
  succeeded(address: string, name: string, now: number): void {
    const from = network(address);
    for (const record of [this.#addresses.get(from), this.#names.get(name)]) {
      if (record) record.failures--;
    }
    put(this.#trusted, `${from} ${name}`, now + TRUST_MS);
  }

  /** The attempt was wrong: whoever it is has no more credit here. */
  failed(address: string, name: string): void {
    this.#trusted.delete(`${network(address)} ${name}`);
  }
}

function waitOf(record: Tally | undefined, most: number, now: number): number {
  if (!record || record.failures < FREE || now - record.last >= FORGET_MS) return 0;
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (record.failures - FREE), most);
  return Math.max(0, record.last + wait - now);
}

function fail(records: Map<string, Tally>, key: string, now: number): void {
  const known = records.get(key);
  const failures = known && now - known.last < FORGET_MS ? known.failures + 1 : 1;
  put(records, key, { failures, last: now });
}

/** Set `key`; when there are too many, the one untouched for longest makes room. */
function put<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  if (map.size >= MAX_KEYS) for (const oldest of map.keys()) if (map.delete(oldest)) break;
  map.set(key, value);
}

/** Who owns one IPv6 address usually owns the /64 around it. */
function network(address: string): string {
  const ip = parseIp(address);
  return ip?.version === 6 ? `${ip.words[0]} ${ip.words[1]}` : address;
}
