import type { AccessLog } from "../../observe/access-log.ts";
import type { Log } from "../../observe/log.ts";
import type { Metrics } from "../../observe/metrics.ts";
import type { Certificates } from "../certificates.ts";
import type { ReactorLoop } from "../reactor-loop.ts";
import type { Sockets } from "../sockets.ts";

/** What the fronts of a process work with. */
export interface FrontDeps {
  readonly reactor: ReactorLoop;
  readonly sockets: Sockets;
  readonly certificates: Certificates;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Read for every request: may be swapped by a reload. */
  accessLog: AccessLog | undefined;
}
