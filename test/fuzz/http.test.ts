import * as encoding from "../wire/http/encoding.properties.ts";
import * as etag from "../wire/http/etag.properties.ts";
import * as path from "../wire/http/path.properties.ts";
import * as range from "../wire/http/range.properties.ts";
import { fuzz } from "./fuzz.ts";

fuzz("target", {
  "no target leaves the root": path.staysInside,
  "every path can be asked for": path.everyPath,
});
fuzz("range", {
  "exactly the bytes asked for": range.exactlyWhatIsAsked,
  "any text stays within the file": range.staysInside,
});
fuzz("encoding", {
  "as plainly read": encoding.asPlainlyRead,
  "any text": encoding.answersAnyText,
});
fuzz("etag", { "holds what is listed": etag.holdsWhatIsListed });
