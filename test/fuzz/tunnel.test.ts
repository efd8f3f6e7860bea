import * as tunnel from "../wire/tunnel/tunnel.properties.ts";
import { fuzz } from "./fuzz.ts";

fuzz("tunnel", {
  "what is there is joined": tunnel.joinsWhatIsThere,
  "datagrams are joined": tunnel.joinsDatagrams,
  "any plaintext": tunnel.joinsAnything,
  "any packet": tunnel.cutsAnything,
  "any SYN": tunnel.clampsAnything,
  "any bytes": tunnel.readsAnything,
});
