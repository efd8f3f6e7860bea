import * as noise from "../wire/noise/noise.properties.ts";
import { fuzz } from "./fuzz.ts";

// With the datagrams of test/fuzz/tunnel.test.ts a minute: 30 s each.
fuzz(
  "Noise",
  {
    "any bytes": noise.anyBytes,
    "changed somewhere": noise.changedSomewhere,
    "the window is a set": noise.windowIsASet,
  },
  30,
);
