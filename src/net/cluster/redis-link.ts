import { backoff, failedAgain } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";

/** Longest wait for a connection; and, usually, for all answers to what is asked at once. */
const CONNECT_MS = 2000;
const ANSWER_MS = 1000;
const AGAIN = { first: 200, most: 5000, calm: 10_000 };

/** A command and its arguments. */
export type Command = readonly [name: string, ...args: readonly string[]];

/** A command that the server would not do: the connection is none the worse for it. */
export class Refused extends Error {}

/** Where it is and how it is spoken to. */
export interface RedisPlace {
  /** May hold a password: never shown. */
  readonly url: string;
  /** Certificates in PEM to believe in place of the system's. */
  readonly ca: string | undefined;
}

/**
 * A connection to Redis that comes back by itself. Whoever asks gets an answer within a second
 * (or the time it gives), or a rejection: nothing is kept to be sent later.
 */
export class RedisLink {
  readonly #place: RedisPlace;
  readonly #clock: Clock;
  readonly #end = new AbortController();
  #client: Bun.RedisClient | undefined;
  #ready = Promise.withResolvers<void>();
  #trouble = "not connected yet";

  constructor(place: RedisPlace, clock: Clock) {
    this.#place = place;
    this.#clock = clock;
  }

  /** Keep connected, until `close`. Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#end;
    for (let failures = 0; !signal.aborted;) {
      const began = this.#clock.now();
      await this.#live(signal);
      failures = failedAgain(failures, this.#clock.now() - began, AGAIN);
      await this.#clock.sleep(backoff(failures, AGAIN), signal).catch(() => {}); // closed
    }
  }

  /** Resolves when there is a connection, or never will be. */
  async ready(): Promise<void> {
    await this.#ready.promise;
  }

  /**
   * The answers to some commands, sent together; one that was refused is a `Refused` among them.
   * Rejects with an Error for logs when there is no connection, or no answer in time; the
   * connection is given up then.
   */
  async ask(commands: readonly Command[], withinMs = ANSWER_MS): Promise<unknown[]> {
    const client = this.#client;
    if (client === undefined) throw new Error(this.#trouble);
    const late = new AbortController();
    const answers = Promise.all(commands.map((command) => answer(client, command)));
    const timeout = this.#clock.sleep(withinMs, late.signal).then(
      () => {
        this.#trouble = "no answer in time";
        client.close(); // whatever it still says belongs to questions nobody waits for
        throw new Error(this.#trouble);
      },
      () => [], // answered: nobody looks
    );
    try {
      return await Promise.race([answers, timeout]);
    } finally {
      late.abort();
      answers.catch(() => {});
    }
  }

  close(): void {
    this.#end.abort();
    this.#ready.resolve();
    this.#client?.close();
  }

  /** One connection, from the first try to the end. */
  async #live(signal: AbortSignal): Promise<void> {
    const over = Promise.withResolvers<void>();
    let client: Bun.RedisClient | undefined;
    try {
      const { url, ca } = this.#place;
      client = new Bun.RedisClient(url, {
        autoReconnect: false,
        enableOfflineQueue: false,
        connectionTimeout: CONNECT_MS,
        ...(ca !== undefined && { tls: { ca } }),
      });
      client.onclose = () => over.resolve();
      await client.connect();
      if (signal.aborted) return;
      this.#client = client;
      this.#ready.resolve();
      this.#trouble = "the connection was lost";
      await over.promise;
    } catch (error) {
      this.#trouble = `cannot connect${wordOf(error)}`;
    } finally {
      if (this.#client !== undefined && !signal.aborted) this.#ready = Promise.withResolvers();
      this.#client = undefined;
      client?.close();
    }
  }
}

async function answer(client: Bun.RedisClient, [name, ...args]: Command): Promise<unknown> {
  try {
    return await client.send(name, args);
  } catch (error) {
    if (codeOf(error) === "ERR_REDIS_SERVER_ERROR")
      return new Refused(error instanceof Error ? error.message : String(error));
    throw error;
  }
}

/** A refused password shows as a closed connection. */
function wordOf(error: unknown): string {
  if (codeOf(error) === "ERR_REDIS_CONNECTION_CLOSED")
    return ": closed (not there, or wrong password)";
  return error instanceof Error ? `: ${error.message}` : "";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
