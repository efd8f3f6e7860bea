import { type Level, LEVELS } from "../observe/log.ts";
import { STREAM_TYPE } from "./events.ts";
import { type Call, type Content, fail, json, type Route } from "./route.ts";

/** Entries of the log that one answer has, when nobody says how many. */
const USUAL = 200;
const MOST = 5000;

const entry: Content["schema"] = {
  type: "object",
  required: ["number", "time", "level", "message"],
  properties: {
    number: { type: "integer" },
    time: { type: "string", format: "date-time" },
    level: { enum: [...LEVELS] },
    message: { type: "string" },
  },
};

/** What happens, and happened. */
export const EVENT_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/api/v1/log",
    summary: "What happened lately in all processes: health, reloads, who did what; oldest first.",
    needs: "known",
    query: {
      limit: `How many of the latest: 1 to ${MOST}, usually ${USUAL}.`,
      level: "Least level: info, warn or error.",
      since: "Newer than the entry of this number, or than this time (ISO 8601).",
    },
    answers: {
      200: {
        about: "Entries; what else they have depends.",
        schema: { type: "array", items: entry },
      },
      400: { about: "A limit, level or time that is none." },
    },
    handle: log,
  },
  {
    method: "GET",
    path: "/api/v1/events",
    summary:
      "Server-sent events: `stats` each second, `log` as it happens (with Last-Event-ID from there on), `end` at the end of the session.",
    needs: "known",
    answers: {
      200: { about: "Goes on until the session is over.", type: STREAM_TYPE },
      503: { about: "Too many listen." },
    },
    handle: ({ events, door, visitor, signal, caller, headers }) => {
      if (!visitor) throw new Error("came through the door unknown"); // `needs: known` forbids it
      const last = headers.get("last-event-id");
      return events.open({
        allowed: () => door.still(visitor),
        after: last !== null && /^\d{1,15}$/.test(last) ? Number(last) : undefined,
        signals: [signal, caller.closing],
      });
    },
  },
];

function log({ deps, query }: Call): Response {
  const limit = Number(query("limit") ?? USUAL);
  const level = query("level") ?? "info";
  const rank = LEVELS.indexOf(level as Level);
  const since = query("since") ?? "0";
  const number = /^\d{1,15}$/.test(since) ? Number(since) : undefined;
  const time = number === undefined ? Date.parse(since) : -Infinity;
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST || rank < 0 || Number.isNaN(time))
    return fail(
      400,
      "bad_input",
      `limit is 1 to ${MOST}, level one of ${LEVELS.join(", ")}, since a number or a time`,
    );
  const found = deps.journal
    .after(number ?? 0)
    .filter((e) => LEVELS.indexOf(e.level) >= rank && Date.parse(e.time) > time);
  return json(found.slice(-limit));
}
