/** Content codings as streams of the runtime. */
import { constants, createBrotliCompress, createGzip, createZstdCompress } from "node:zlib";

import type { Coding } from "../wire/http/encoding.ts";

/** For streams, which a client waits for. */
const STREAMED = { gzip: 6, br: 4, zstd: 3 } as const;

export function encoder(coding: Coding) {
  switch (coding) {
    case "gzip":
      return createGzip({ level: STREAMED.gzip });
    case "br":
      return createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: STREAMED.br } });
    case "zstd":
      return createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: STREAMED.zstd } });
  }
}
