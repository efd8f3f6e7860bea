/** A client of a pool is with this server, and sticks to it for so long after its last connection. */
export interface Stuck {
  readonly pool: string;
  /** An IP address. */
  readonly client: string;
  /** `10.0.0.1:80`. */
  readonly server: string;
  /** Milliseconds. */
  readonly expire: number;
}

/** Clients told of in one text. */
export const MAX_STUCK = 1000;
/** Characters of the longest text that is read. */
const MAX_STICKY_NEWS = 512 * 1024;

const MAX_POOL = 128;
const MAX_CLIENT = 64;
const MAX_SERVER = 280;
const MAX_EXPIRE = 30 * 24 * 3_600_000;

/** As text: a JSON array of `[pool, client, server, expire]`. At most `MAX_STUCK` of them. */
export function emitStuck(all: readonly Stuck[]): string {
  return JSON.stringify(
    all.map(({ pool, client, server, expire }) => [pool, client, server, expire]),
  );
}

/** Read it. Undefined: it is something else. */
export function parseStuck(text: string): Stuck[] | undefined {
  if (text.length > MAX_STICKY_NEWS) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value) || value.length > MAX_STUCK) return undefined;
  const all = value.map(stuckOf);
  return all.every((one) => one !== undefined) ? all : undefined;
}

function stuckOf(value: unknown): Stuck | undefined {
  if (!Array.isArray(value) || value.length !== 4) return undefined;
  const [pool, client, server, expire]: unknown[] = value;
  if (!isText(pool, MAX_POOL) || !isText(client, MAX_CLIENT) || !isText(server, MAX_SERVER))
    return undefined;
  if (typeof expire !== "number" || !(expire > 0 && expire <= MAX_EXPIRE)) return undefined;
  return { pool, client, server, expire };
}

function isText(value: unknown, longest: number): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= longest;
}
