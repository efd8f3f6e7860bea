/** Where the names of a stage are: by arithmetic alone. */
import { md5Code, md5Paper } from "./md5.ts";
import { rendezvous } from "./rendezvous.ts";
import type { Placement, StageRecord } from "./stage.ts";

/** The function that finds the members for a name of this stage. The stage has a member at least. */
export function placementOf(stage: StageRecord): Placement {
  switch (stage.placement) {
    case "md5-paper":
      return md5Paper(stage);
    case "md5-2to3":
      return md5Code(stage);
    case "hrw-1":
      return rendezvous(stage);
  }
}
