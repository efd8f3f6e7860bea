import * as formats from "../wire/udt/formats.properties.ts";
import * as hostile from "../wire/udt/hostile.properties.ts";
import * as losses from "../wire/udt/loss-list.properties.ts";
import { fuzz } from "./fuzz.ts";

// What a stranger may send is tried for a minute: 12 s of formats, 48 s of connections.
fuzz(
  "UDT formats",
  {
    "what is read is written": formats.readsWhatIsWritten,
    handshakes: formats.handshakes,
    acknowledgements: formats.acknowledgements,
    "reports of loss": formats.lossReports,
  },
  12,
);
fuzz(
  "UDT connections",
  {
    "whatever comes": hostile.staysSane,
    strangers: hostile.keepsNothingOfStrangers,
    handshakes: hostile.greetsSoberly,
  },
  48,
);
fuzz("UDT loss lists", { "a set": losses.isASet });
