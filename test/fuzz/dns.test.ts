import * as message from "../wire/dns/message.properties.ts";
import * as name from "../wire/dns/name.properties.ts";
import * as query from "../wire/dns/query.properties.ts";
import * as rdata from "../wire/dns/rdata/rdata.properties.ts";
import * as writer from "../wire/dns/writer.properties.ts";
import * as zone from "../wire/dns/zone-scan.properties.ts";
import { fuzz } from "./fuzz.ts";

fuzz("DNS name", {
  "what is shown is read": name.readsWhatIsShown,
  "any text": name.anyText,
  "only its bytes count": name.readsOnlyItsBytes,
  "compares as plainly written": name.comparesAsPlainly,
});
fuzz("DNS question", {
  "only its bytes count": query.readsOnlyItsBytes,
  "the decoder agrees": query.agreesWithTheDecoder,
});
fuzz("DNS message", {
  "what is written is read": message.readsWhatIsWritten,
  "only its bytes count": message.readsOnlyItsBytes,
  "never beyond its limit": writer.staysInside,
});
fuzz("DNS rdata", {
  "what is shown is read": rdata.readsWhatIsShown,
  "only its bytes count": rdata.readsOnlyItsBytes,
  "any text": rdata.anyText,
});
fuzz("DNS master file", {
  "what is shown is read": zone.readsWhatIsShown,
  "any text": zone.anyText,
});
