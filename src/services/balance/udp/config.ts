/** The keys of a balance service that are about UDP. */
import * as v from "valibot";

import { key } from "../../../config/key.ts";
import { count, duration } from "../../../config/scalars.ts";

export const udpKeys = v.pipe(
  v.strictObject({
    idle: key(duration, "30s", "A client that nothing was heard of for so long is a new one."),
    replies: key(
      count(),
      0,
      "Datagrams that answer one of a client's, such as 1 for DNS: then its session is over; 0: any number.",
    ),
    sessions: key(
      count(1),
      10_000,
      "Clients at once, at all workers together; one that was not heard of for long leaves for a new one.",
    ),
  }),
  v.description("With `protocol: udp`. A session is a client's address and port."),
);
