/** What one node has found out about one target by its own probes. */
export interface Vote {
  readonly state: "up" | "down";
  /** What its probes ran into, printable; "" when up. */
  readonly why: string;
}

/** All votes of one node, as it last wrote them. */
export interface Ballot {
  /** Another one for each start of a program: two that call themselves the same show by it. */
  readonly instance: string;
  /** Grows with every change. */
  readonly version: number;
  /** By what the vote is on: see `voteId`. */
  readonly votes: ReadonlyMap<string, Vote>;
}

/** Bytes of the longest ballot that is written or read: 40 000 targets that are up. */
export const MAX_BALLOT = 1 << 20;
/** The first line of a ballot is no longer. */
export const MAX_BALLOT_HEAD = 64;
/** Characters of an id: 96 bits in base64url. */
export const VOTE_ID_LENGTH = 16;

const MAX_WHY = 100;
const HEAD = /^tern-votes-1 ([A-Za-z0-9_-]{1,22}) (\d{1,15})$/;
const LINE = /^([+-])([A-Za-z0-9_-]{16})(?: ([\x20-\x7e]{0,100}))?$/;

/**
 * A ballot as text:
 *
 *     tern-votes-1 INSTANCE VERSION
 *     -ID why it is down
 *     +ID
 *
 * What is down comes first: what does not fit in `MAX_BALLOT` is no vote at all.
 */
export function emitBallot({ instance, version, votes }: Ballot): string {
  let text = `${headOf(instance, version)}\n`;
  for (const wanted of ["down", "up"] as const)
    for (const [id, { state, why }] of votes) {
      if (state !== wanted) continue;
      const line = state === "up" ? `+${id}\n` : `-${id} ${printable(why)}\n`;
      if (text.length + line.length > MAX_BALLOT) return text;
      text += line;
    }
  return text;
}

/** Read a ballot. Undefined: it is none, or has a line that nobody writes. */
export function parseBallot(text: string): Ballot | undefined {
  if (text.length > MAX_BALLOT || !text.endsWith("\n")) return undefined;
  const [first = "", ...lines] = text.slice(0, -1).split("\n");
  const [, instance, version] = HEAD.exec(first) ?? [];
  if (instance === undefined) return undefined;
  const votes = new Map<string, Vote>();
  for (const line of lines) {
    const [, sign, id, why = ""] = LINE.exec(line) ?? [];
    if (id === undefined) return undefined;
    votes.set(id, sign === "+" ? { state: "up", why: "" } : { state: "down", why });
  }
  return { instance, version: Number(version), votes };
}

/** The first line, by which one sees without the rest whether a ballot is another now. */
export function headOf(instance: string, version: number): string {
  return `tern-votes-1 ${instance} ${version}`;
}

function printable(why: string): string {
  return why.replaceAll(/[^\x20-\x7e]+/g, " ").slice(0, MAX_WHY);
}
