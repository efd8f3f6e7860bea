import * as formats from "../wire/udt/formats.properties.ts";
import * as hostile from "../wire/udt/hostile.properties.ts";
import * as losses from "../wire/udt/loss-list.properties.ts";
import { fuzz } from "./fuzz.ts";

fuzz("UDT formats", {
  "what is read is written": formats.readsWhatIsWritten,
  handshakes: formats.handshakes,
  acknowledgements: formats.acknowledgements,
  "reports of loss": formats.lossReports,
});
fuzz("UDT connections", {
  "whatever comes": hostile.staysSane,
  strangers: hostile.keepsNothingOfStrangers,
  handshakes: hostile.greetsSoberly,
});
fuzz("UDT loss lists", { "a set": losses.isASet });
