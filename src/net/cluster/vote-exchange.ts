import type { Clock } from "../../core/clock.ts";
import {
  type Ballot,
  emitBallot,
  headOf,
  MAX_BALLOT,
  MAX_BALLOT_HEAD,
  parseBallot,
} from "../../wire/cluster/ballot.ts";
import { type Command, type RedisLink, Refused } from "./redis-link.ts";
import type { Votes } from "./voting-health.ts";

/** How often the others' votes are read. */
const READ_MS = 300;
/** A node that has said nothing for so long has no vote: Redis forgets it, by its own clock. */
const VOTE_LASTS_MS = 5000;
/** How often a node says that its votes are still its votes. */
const RENEW_MS = 1000;
/** Without an answer from Redis for so long, the others' votes count no more. */
const ALONE_MS = 2000;
/** Names in the list of nodes whose votes were missing for so long are taken off it. */
const FORGET_MS = 60_000;
/** Nodes that are listened to. */
const MAX_NODES = 64;
/**
 * Our ballots that another's took the place of, before somebody is told. Of two who renew theirs as
 * often as each other, one or the other finds so between any two of its own.
 */
const MOST_REPLACED = 4;
/** So many in a row that stayed where they were put: those replaced before were a predecessor's doing. */
const ENOUGH_KEPT = 10;

const NODES = "tern:votes:nodes";
const NODE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

const ballotOf = (node: string): string => `tern:votes:of:${node}`;

export interface ExchangeParts {
  readonly link: Pick<RedisLink, "ask">;
  readonly clock: Clock;
  readonly node: string;
  /** Another one for each start, as `Ballot` has it. */
  readonly instance: string;
  /** Our own votes. */
  readonly votes: () => Votes;
  /** The other nodes' votes are these now. */
  readonly heard: (others: readonly Votes[]) => void;
  /** We are with the others, or alone from now on and why. */
  readonly standing: (alone: string | undefined) => void;
  /** Somebody else has our name. */
  readonly doubled: () => void;
}

interface Other {
  ballot: Ballot | undefined;
  /** When its ballot was found missing, of the clock. */
  missing: number | undefined;
}

/**
 * Puts our votes where the other nodes find them, and finds theirs. Every node's votes are one text
 * in Redis that expires; no clock of another machine is believed, and nothing that was missed
 * matters, since every reading is of the whole.
 */
export class VoteExchange {
  readonly #parts: ExchangeParts;
  readonly #others = new Map<string, Other>();
  #version = 0;
  #text = "";
  #stale = true;
  #renewed = -Infinity;
  #answered: number;
  #alone: string | undefined = "not connected yet";
  /** Another's ballot was found where ours should be, since we put it there. */
  #replaced = false;
  #timesReplaced = 0;
  #timesKept = 0;
  #wake = new AbortController();

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    this.#answered = parts.clock.now() - ALONE_MS;
  }

  /** Names of the other nodes that vote now. */
  get nodes(): string[] {
    return [...this.#others]
      .filter(([, { ballot }]) => ballot)
      .map(([name]) => name)
      .sort();
  }

  /** Our own votes are others than before. */
  voted(): void {
    this.#stale = true;
    this.#wake.abort();
  }

  /** Until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      try {
        await this.#write();
        const changed = await this.#read();
        if (signal.aborted) break;
        this.#answered = clock.now();
        if (this.#alone !== undefined) this.#parts.standing((this.#alone = undefined));
        if (changed) this.#tell();
      } catch (error) {
        this.#failed(error instanceof Error ? error.message : String(error));
      }
      // Waiting for the next reading, unless there is something to say.
      await clock.sleep(READ_MS, AbortSignal.any([signal, this.#wake.signal])).catch(() => {});
    }
  }

  /** Take back our votes, so that nobody waits for them to expire. Once `run` has ended. */
  async withdraw(): Promise<void> {
    const { link, node, instance } = this.#parts;
    try {
      const head = String(MAX_BALLOT_HEAD - 1);
      const [found] = await link.ask([["GETRANGE", ballotOf(node), "0", head]]);
      // After an upgrade the votes under this name are those of our successor.
      if (headIn(found)?.split(" ")[1] !== instance) return;
      await link.ask([
        ["DEL", ballotOf(node)],
        ["SREM", NODES, node],
      ]);
    } catch {} // they expire
  }

  async #write(): Promise<void> {
    const { clock, instance, node } = this.#parts;
    const now = clock.now();
    if (!this.#stale && now - this.#renewed < RENEW_MS) return;
    if (this.#stale) {
      this.#stale = false;
      this.#text = emitBallot({ instance, version: ++this.#version, votes: this.#parts.votes() });
    }
    this.#countReplaced();
    // The whole of it each second: what Redis lost or somebody spoiled is right again.
    const set: Command = ["SET", ballotOf(node), this.#text, "PX", String(VOTE_LASTS_MS)];
    for (const answer of await this.#parts.link.ask([set, ["SADD", NODES, node]]))
      if (answer instanceof Refused) throw answer;
    this.#renewed = now;
  }

  /** True when anybody's votes are others than before. */
  async #read(): Promise<boolean> {
    const { clock, link, node } = this.#parts;
    const [listed] = await link.ask([["SRANDMEMBER", NODES, String(MAX_NODES)]]);
    if (listed instanceof Refused) throw listed;
    const names = new Set(this.nodes);
    if (Array.isArray(listed))
      for (const name of listed)
        if (typeof name === "string" && NODE.test(name) && names.size < MAX_NODES) names.add(name);
    names.delete(node);

    const all = [node, ...names];
    const heads = await link.ask(
      all.map((name) => ["GETRANGE", ballotOf(name), "0", String(MAX_BALLOT_HEAD - 1)]),
    );
    this.#checkOwn(heads[0]);
    const wanted: string[] = [];
    const gone: string[] = [];
    let changed = false;
    for (const [i, name] of all.entries()) {
      if (i === 0) continue;
      const head = headIn(heads[i]);
      const other = this.#others.get(name) ?? { ballot: undefined, missing: undefined };
      this.#others.set(name, other);
      const { ballot } = other;
      if (head === undefined) {
        if (ballot !== undefined) changed = true;
        other.ballot = undefined;
        other.missing ??= clock.now();
        if (clock.now() - other.missing > FORGET_MS) gone.push(name);
      } else if (ballot === undefined || headOf(ballot.instance, ballot.version) !== head)
        wanted.push(name);
    }
    const texts = await link.ask(
      wanted.map((name) => ["GETRANGE", ballotOf(name), "0", String(MAX_BALLOT - 1)]),
    );
    for (const [i, name] of wanted.entries()) {
      const text = texts[i];
      const other = this.#others.get(name);
      if (other === undefined) continue;
      other.ballot = typeof text === "string" ? parseBallot(text) : undefined;
      other.missing = other.ballot === undefined ? (other.missing ?? clock.now()) : undefined;
      changed = true;
    }
    for (const name of gone) this.#others.delete(name);
    if (gone.length > 0) await link.ask([["SREM", NODES, ...gone]]);
    return changed;
  }

  #checkOwn(head: unknown): void {
    const { instance } = this.#parts;
    const own = headIn(head);
    if (own !== undefined && own.split(" ")[1] !== instance) this.#replaced = true;
  }

  /** Before our ballot is put there again. */
  #countReplaced(): void {
    if (this.#replaced) {
      this.#replaced = false;
      this.#timesKept = 0;
      if (++this.#timesReplaced === MOST_REPLACED) this.#parts.doubled();
    } else if (++this.#timesKept === ENOUGH_KEPT) this.#timesReplaced = 0;
  }

  #failed(why: string): void {
    if (this.#parts.clock.now() - this.#answered < ALONE_MS) return;
    if (this.#alone !== why) this.#parts.standing((this.#alone = why));
    if (this.#others.size === 0) return;
    this.#others.clear();
    this.#tell();
  }

  #tell(): void {
    this.#parts.heard([...this.#others.values()].flatMap(({ ballot }) => ballot?.votes ?? []));
  }
}

/** The first line of a ballot; undefined when there is none. */
function headIn(answer: unknown): string | undefined {
  const end = typeof answer === "string" ? answer.indexOf("\n") : -1;
  return end < 0 ? undefined : (answer as string).slice(0, end); // a string, or end were less
}
