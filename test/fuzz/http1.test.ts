import * as chunked from "../wire/http1/chunked.properties.ts";
import * as head from "../wire/http1/head.properties.ts";
import { fuzz } from "./fuzz.ts";

fuzz("request head", {
  "a plain reader agrees": head.sameAsPlainReader,
  "cuts change nothing": head.sameInPieces,
});
fuzz("chunked body", {
  "what is written is read": chunked.readsWhatIsWritten,
  "a plain reader agrees": chunked.sameAsPlainReader,
});
