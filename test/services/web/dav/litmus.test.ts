import { LITMUS_MS, nothingToComplain, withLitmus } from "../../../fake/litmus.ts";
import { served } from "./served.ts";

withLitmus(
  "litmus finds nothing to complain of in any suite, over our own sockets",
  async () => {
    await using site = await served();
    await nothingToComplain(site);
  },
  LITMUS_MS,
);
