/**
 * Several routers over the same members: what must be the same for all of them is in etcd. Stage
 * records, who is out, who is alive, who repairs, and whose turn it is to change a name.
 *
 *     /tern/store/NAME/stages            stage records, changed by compare and swap
 *     /tern/store/NAME/standing          members that take no copies
 *     /tern/store/NAME/routers/NODE.PID  a process that is alive, and which standing it goes by
 *     /tern/store/NAME/repairs           the one process that looks after copies
 *     /tern/store/NAME/locks/N           a name that is being changed
 *     /tern/store/NAME/usage/            how much is stored: usage/shared-usage.ts
 */
import type { Clock } from "../../../core/clock.ts";
import { Etcd, type EtcdPlace } from "../../../net/cluster/etcd.ts";
import type { Log } from "../../../observe/log.ts";
import { MemberError } from "../members/member.ts";
import type { Locks, Still } from "../path-locks.ts";
import {
  emitBook,
  parseBook,
  SETTLED_MS,
  type StandingBook,
  type Standings,
} from "../repair/standings.ts";
import { emitStages, parseStages, refusal, type Stages } from "../stage-book.ts";

/** A process that says nothing for so long is gone: its locks are free. Seconds. */
const LEASE_S = 10;
/** What one step of a change may take: none is begun when the lease may end before. Milliseconds. */
const STEP_MS = 1000;
const KEEP_MS = 3000;
/** Waiting for a lock: between two looks, and until it is given up. Milliseconds. */
const FIRST_MS = 2;
const MOST_MS = 50;
const LOCK_MS = 30_000;
/** Names share locks. */
const LOCKS = 4096;
/** How often it is looked whether all routers go by a new standing, and how long they are waited for. */
const LOOK_MS = 200;
const ALL_MS = 60_000;

export interface RoutersParts {
  readonly place: EtcdPlace;
  /** Name of the store. */
  readonly store: string;
  /** Tells processes of one node apart. */
  readonly process: string;
  /** It may be the one that looks after copies. */
  readonly stands: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export class Routers implements Standings {
  readonly etcd: Etcd;
  /** Where the store's keys begin. */
  readonly base: string;
  /** This process. */
  readonly self: string;
  readonly #stands: boolean;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ending = new AbortController();
  #lease: string | undefined;
  /** Until then it is certainly ours, by our clock: counted from before etcd was asked. */
  #until = 0;
  #running: Promise<void> | undefined;
  #repairs = false;
  /** Locks that may be ours without our knowing: what etcd did not answer it may have done. */
  readonly #doubtful = new Set<string>();
  /** Of the standing that this process goes by. */
  #revision = 0;
  #alive: readonly string[] = [];

  constructor({ place, store, process, stands, clock, log }: RoutersParts) {
    this.etcd = new Etcd(place.urls);
    this.base = `/tern/store/${store}`;
    this.self = `${place.node}.${process}`;
    this.#stands = stands;
    this.#clock = clock;
    this.#log = log;
  }

  /** Is this the process that looks after copies? */
  get repairs(): boolean {
    return this.#repairs;
  }

  /** Processes that are alive, as `node.process`, as of late. */
  get alive(): readonly string[] {
    return this.#alive;
  }

  /** Begin to be one of them. Rejects when etcd cannot be reached, or other routers go by other stages. */
  async open(stages: Stages): Promise<void> {
    const known = await this.etcd.get(`${this.base}/stages`);
    const refused = known && refusal(parseStages(known.value), stages);
    if (refused !== undefined) throw new Error(`as other routers have it, ${refused}`);
    await this.#enter();
    this.#running = this.#live();
  }

  /** Let everybody go by these stages from now on. */
  async remember(stages: Stages): Promise<void> {
    const key = `${this.base}/stages`;
    for (;;) {
      const known = await this.etcd.get(key);
      const before = known === undefined ? {} : parseStages(known.value);
      const refused = refusal(before, { ...before, ...stages });
      if (refused !== undefined) throw new Error(`as other routers have it, ${refused}`);
      const text = emitStages({ ...before, ...stages });
      if (known?.value === text) return;
      if ((await this.etcd.swap(key, known?.revision ?? 0, text)) !== undefined) return;
    }
  }

  async read(): Promise<StandingBook | undefined> {
    const entry = await this.etcd.get(`${this.base}/standing`).catch(() => undefined); // told of
    if (entry === undefined || entry.revision === this.#revision) return undefined;
    this.#revision = entry.revision;
    // The caller goes by it on this turn; then everybody may know.
    queueMicrotask(() => void this.#tell().catch(() => {})); // told with the next keepalive
    return parseBook(entry.value);
  }

  async write(book: StandingBook): Promise<void> {
    const revision = await this.etcd.swap(`${this.base}/standing`, this.#revision, emitBook(book));
    if (revision === undefined) throw new Error("another router has changed who is out meanwhile");
    this.#revision = revision;
    await this.#tell();
    const until = this.#clock.now() + ALL_MS;
    for (;;) {
      const routers = await this.etcd.list(`${this.base}/routers/`);
      if (routers.every(({ value }) => Number(value) >= revision)) break;
      if (this.#clock.now() > until)
        throw new Error("some routers are alive and do not go by what has changed");
      await this.#sleep(LOOK_MS);
    }
    await this.#sleep(SETTLED_MS);
  }

  /** One change of a name at a time, on all routers; `local` does it for this machine. */
  locks(local: Locks): Locks {
    return {
      hold: async (key, run) =>
        local.hold(key, async () => {
          const at = `${this.base}/locks/${Bun.hash.xxHash32(key, 0) % LOCKS}`;
          const revision = await this.#lock(at);
          try {
            return await run(this.#still());
          } finally {
            await this.etcd.remove(at, revision).catch(() => void this.#doubtful.add(at));
          }
        }),
      close: () => local.close(),
    };
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
    if (this.#lease !== undefined) await this.etcd.revoke(this.#lease).catch(() => {}); // it ends
  }

  /** Whoever was stopped for so long that others may run, runs no further. */
  #still(): Still {
    const lease = this.#lease;
    return () => {
      if (this.#lease === lease && this.#clock.now() < this.#until - STEP_MS) return;
      throw new MemberError("away", "this router was not heard of for too long: others may write");
    };
  }

  async #lock(at: string): Promise<number> {
    const until = this.#clock.now() + LOCK_MS;
    for (let wait = FIRST_MS; ; wait = Math.min(MOST_MS, wait * 2)) {
      try {
        if (this.#lease === undefined) throw new Error("this router is not known to the others");
        const revision = await this.etcd.swap(at, 0, this.self, this.#lease);
        if (revision !== undefined) return revision;
        // Nobody else in this process has it: whoever wants it waits for us, in `local`.
        const there = this.#doubtful.has(at) ? await this.etcd.get(at) : undefined;
        if (there?.value === this.self) await this.etcd.remove(at, there.revision);
      } catch (error) {
        this.#doubtful.add(at);
        const why = error instanceof Error ? error.message : String(error);
        throw new MemberError("away", why, { cause: error });
      }
      if (this.#clock.now() > until || this.#ending.signal.aborted)
        throw new MemberError("away", "another router is changing this name, and does not end");
      await this.#sleep(wait);
    }
  }

  async #enter(): Promise<void> {
    const asked = this.#clock.now();
    this.#lease = await this.etcd.grant(LEASE_S);
    this.#until = asked + LEASE_S * 1000;
    await this.#tell();
  }

  async #tell(): Promise<void> {
    await this.etcd.put(`${this.base}/routers/${this.self}`, `${this.#revision}`, this.#lease);
  }

  async #live(): Promise<void> {
    const { signal } = this.#ending;
    let failing = false;
    while (!signal.aborted) {
      try {
        const asked = this.#clock.now();
        if (this.#lease !== undefined && (await this.etcd.keep(this.#lease)))
          this.#until = asked + LEASE_S * 1000;
        else {
          this.#lease = undefined;
          this.#repairs = false;
          await this.#enter();
        }
        await this.#tell();
        await this.#stand();
        const routers = await this.etcd.list(`${this.base}/routers/`);
        this.#alive = routers.map(({ key }) => key.slice(key.lastIndexOf("/") + 1));
        if (failing) this.#log.info("etcd answers again");
        failing = false;
      } catch (error) {
        this.#repairs = false;
        if (!failing) this.#log.warn("etcd does not answer: nothing can be written", { error });
        failing = true;
      }
      await this.#sleep(KEEP_MS);
    }
  }

  /** Be the one that looks after copies when nobody is. */
  async #stand(): Promise<void> {
    if (!this.#stands) return;
    const key = `${this.base}/repairs`;
    const there = await this.etcd.get(key);
    if (there !== undefined) this.#repairs = there.value === this.self;
    else this.#repairs = (await this.etcd.swap(key, 0, this.self, this.#lease)) !== undefined;
  }

  async #sleep(ms: number): Promise<void> {
    await this.#clock.sleep(ms, this.#ending.signal).catch(() => {}); // told to end
  }
}
