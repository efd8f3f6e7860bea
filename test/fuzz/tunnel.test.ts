import * as squeezer from "../services/tunnel/squeezer.properties.ts";
import * as old from "../wire/3wdd/hostile.properties.ts";
import * as hostile from "../wire/tunnel/hostile.properties.ts";
import * as parity from "../wire/tunnel/parity.properties.ts";
import * as tunnel from "../wire/tunnel/tunnel.properties.ts";
import { fuzz } from "./fuzz.ts";

// With the handshakes of test/fuzz/noise.test.ts a minute: 15 s each.
fuzz(
  "tunnel",
  {
    "what is there is joined": tunnel.joinsWhatIsThere,
    "datagrams are joined": tunnel.joinsDatagrams,
    "any plaintext": tunnel.joinsAnything,
    "any packet": tunnel.cutsAnything,
    "any SYN": tunnel.clampsAnything,
    "any bytes": tunnel.readsAnything,
  },
  15,
);
fuzz(
  "tunnel, repaired",
  {
    "a peer gone mad": hostile.repairStaysSane,
    "what parity makes": parity.makesWhatWasLost,
    "any parity": parity.mendsSoberly,
  },
  15,
);
fuzz("tunnel, compressed", { "what seems to be": squeezer.unpacksAnything });
fuzz("an old 3wdd", {
  "who is let in": old.letsNobodyIn,
  "whom a client follows": old.followsNobodyBlindly,
  frames: old.framesAreWhatCame,
  bodies: old.bodiesStayPackets,
});
