import { deflateSync, inflateSync } from "node:zlib";

import type { Squeezers } from "../../../wire/3wdd/bodies.ts";
import { compress } from "../../../wire/lzo/compress.ts";
import { decompress } from "../../../wire/lzo/decompress.ts";

/** As Python's zlib.compress has it: its packets begin with 78 9c. */
const LEVEL = 6;

export const squeezers: Squeezers = {
  deflate: (plain) => deflateSync(plain, { level: LEVEL }),
  inflate(packed, most) {
    try {
      return inflateSync(packed, { maxOutputLength: most });
    } catch {
      return undefined;
    }
  },
  lzo: compress,
  unlzo: decompress,
};
