import type { Quorum } from "../../core/quorum.ts";
import type { Log } from "../../observe/log.ts";
import type { Vote } from "../../wire/cluster/ballot.ts";
import { keyOf, showTarget, type Target } from "../health/check.ts";
import type { Health, Verdict, Watched } from "../health/health.ts";
import { tally } from "./tally.ts";
import { voteId } from "./vote-id.ts";

/** The votes of one other node. */
export type Votes = ReadonlyMap<string, Vote>;

/** A target that nodes vote on, for all who watch it. */
interface Seat {
  readonly key: string;
  readonly target: Target;
  readonly id: string;
  /** What our own probes say; undefined until they are asked for the first time. */
  own: Watched | undefined;
  /** Resolves when there is an own verdict, or it is late; rejects when it cannot be probed here. */
  readonly ready: Promise<void>;
  readonly watchers: Set<() => void>;
  verdict: Verdict;
  shares: number;
}

export interface VotingParts {
  /** Who probes from here. */
  readonly own: Health;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly log: Log;
}

/** `Health` as several nodes see it together: one's own view, as long as no other node votes. */
export class VotingHealth implements Health {
  readonly #parts: VotingParts;
  readonly #seats = new Map<string, Seat>();
  #others: readonly Votes[] = [];
  #quorum: Quorum = "majority";
  /** Told when our own votes are others than before. */
  voted: () => void = () => {};

  constructor(parts: VotingParts) {
    this.#parts = parts;
  }

  async watch(targets: readonly Target[], changed: () => void): Promise<Watched> {
    let open = false;
    let read: readonly Verdict[] | undefined;
    const tell = (): void => {
      read = undefined;
      if (open) changed();
    };
    const seats = targets.map((target) => this.#join(target, tell));
    const close = (): void => {
      open = false;
      for (const seat of seats.splice(0)) this.#leave(seat, tell);
    };
    try {
      await Promise.all(seats.map(({ ready }) => ready));
    } catch (failed) {
      close();
      throw failed;
    }
    open = true;
    return {
      get verdicts() {
        return (read ??= seats.map(({ verdict }) => verdict));
      },
      hurry() {
        for (const { own } of seats) own?.hurry();
      },
      close,
    };
  }

  /** Our own votes: on a target that is probed in two rhythms, the better one. */
  get votes(): Votes {
    const votes = new Map<string, Vote>();
    for (const { id, own } of this.#seats.values()) {
      const { state = "unknown", why = "" } = own?.verdicts[0] ?? {};
      if (state === "up") votes.set(id, { state, why: "" });
      else if (state === "down" && !votes.has(id)) votes.set(id, { state, why });
    }
    return votes;
  }

  /** Targets whose verdict is another than our own probes' one. */
  get overruled(): number {
    let n = 0;
    for (const { own, verdict } of this.#seats.values())
      if (own !== undefined && own.verdicts[0]?.state !== verdict.state) n++;
    return n;
  }

  /** The votes of the other nodes, one of each, are these now; none of them: our own view stands. */
  hear(others: readonly Votes[], quorum: Quorum): void {
    this.#others = others;
    this.#quorum = quorum;
    for (const seat of this.#seats.values()) this.#count(seat);
  }

  #join(target: Target, tell: () => void): Seat {
    const key = keyOf(target);
    const seat = this.#seats.get(key) ?? this.#seatFor(key, target);
    seat.shares++;
    seat.watchers.add(tell);
    return seat;
  }

  #seatFor(key: string, target: Target): Seat {
    const news = (): void => {
      this.#count(seat);
      this.voted();
    };
    const watching = this.#parts.own.watch([target], news);
    const seat: Seat = {
      key,
      target,
      id: voteId(target),
      own: undefined,
      ready: watching.then((own) => {
        if (seat.shares === 0) return own.close();
        seat.own = own;
        news();
      }),
      watchers: new Set(),
      verdict: { state: "unknown", since: this.#parts.wall(), why: "" },
      shares: 0,
    };
    this.#seats.set(key, seat);
    return seat;
  }

  #leave(seat: Seat, tell: () => void): void {
    seat.watchers.delete(tell);
    if (--seat.shares > 0) return;
    this.#seats.delete(seat.key);
    seat.own?.close();
    this.voted();
  }

  #count(seat: Seat): void {
    const own = seat.own?.verdicts[0];
    if (own === undefined) return;
    const votes = this.#others.flatMap((one) => one.get(seat.id) ?? []);
    const before = seat.verdict;
    const counted = tally(own, votes, this.#quorum);
    if (counted === undefined) seat.verdict = own;
    else if (counted.state !== before.state || counted.why !== before.why) {
      const since = counted.state === before.state ? before.since : this.#parts.wall();
      seat.verdict = { ...counted, since };
    }
    const { state, why } = seat.verdict;
    if (seat.verdict === before) return;
    if (counted !== undefined && state !== before.state && before.state !== "unknown")
      this.#parts.log[state === "up" ? "info" : "warn"](`the votes say a server is ${state}`, {
        target: showTarget(seat.target),
        ...(why !== "" && { why }),
      });
    for (const watcher of seat.watchers) watcher();
  }
}
