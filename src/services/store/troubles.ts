/** What clients are told when members cannot do what is asked of them. */
import { type HttpResponse, respond } from "../../wire/http/message.ts";
import type { Trouble } from "./members/member.ts";

/** Seconds until another try makes sense. */
export const RETRY = [["Retry-After", "2"]] as const;

/** Statuses and words for people. */
export const STATUSES: Readonly<Record<Trouble, readonly [status: number, words: string]>> = {
  away: [503, "Too few of the members that should keep this can be reached."],
  failed: [503, "Too few of the members that should keep this can do so."],
  refused: [503, "The members that should keep this will not."],
  full: [507, "There is no room left for that."],
  quota: [507, "The quota of this folder is used up."],
  "too-long": [414, "The name is longer than the members take."],
  conflict: [409, "A file is where a directory would have to be, or the other way round."],
};

/** The answer to a write that too few members have done. */
export function troubled(trouble: Trouble): HttpResponse {
  const [status, words] = STATUSES[trouble];
  return respond(status, status === 503 ? RETRY : [], `${words}\n`);
}

/** The answer when too few members can be reached to say what is there. */
export function undecided(): HttpResponse {
  return respond(503, RETRY, "Too few of the members that keep this can be reached.\n");
}
