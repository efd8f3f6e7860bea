import * as noise from "../wire/noise/noise.properties.ts";
import { fuzz } from "./fuzz.ts";

fuzz("Noise", {
  "any bytes": noise.anyBytes,
  "changed somewhere": noise.changedSomewhere,
  "the window is a set": noise.windowIsASet,
});
