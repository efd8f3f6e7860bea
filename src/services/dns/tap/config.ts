import * as v from "valibot";

import { key } from "../../../config/key.ts";
import { count, path, size } from "../../../config/scalars.ts";

/** The longest name of a host. */
const MAX_IDENTITY = 255;

/** `dnstap:` of a server. */
export const tap = v.pipe(
  v.strictObject({
    socket: key(
      v.nullable(path),
      null,
      "The unix socket of who listens (fstrm_capture, dnstap collectors).",
    ),
    file: key(
      v.nullable(path),
      null,
      "Instead of `socket`: a file of frames, one for each worker: FILE, FILE-1, FILE-2.",
    ),
    messages: key(
      v.picklist(["queries", "responses", "both"]),
      "both",
      "What is told: questions (AUTH_QUERY), answers (AUTH_RESPONSE).",
    ),
    sample: key(
      v.pipe(v.number() as v.GenericSchema<unknown, number>, v.minValue(0), v.maxValue(1)),
      1,
      "The part of the questions that is told of, each with its answer: 0.01 is one in a hundred.",
    ),
    identity: key(
      v.nullable(v.pipe(v.string(), v.maxLength(MAX_IDENTITY))),
      null,
      "What this server is called there; null: the host's name.",
    ),
    rotate: key(size, "100MiB", "Another file is begun at this size."),
    keep: key(count(), 7, "Files kept besides."),
  }),
  v.check(
    ({ socket, file }) => (socket === null) !== (file === null),
    "expected `socket` or `file`, one of them",
  ),
);

export type TapConfig = v.InferOutput<typeof tap>;
