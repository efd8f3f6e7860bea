import * as proxy from "../wire/proxy-protocol.properties.ts";
import * as hello from "../wire/tls/client-hello.properties.ts";
import { fuzz } from "./fuzz.ts";

fuzz("PROXY header", {
  "what is written is read": proxy.readsWhatIsWritten,
  "only its bytes count": proxy.readsOnlyItsBytes,
});
fuzz("ClientHello", {
  "records may cut it anywhere": hello.sameInAnyRecords,
  "only its bytes count": hello.readsOnlyItsBytes,
});
