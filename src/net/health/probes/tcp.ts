import { abort } from "../../../sys/socket.ts";
import type { Reactor } from "../../reactor.ts";
import type { Probe } from "../watch.ts";
import { connect } from "./connect.ts";

/** Good when it accepts a connection, which is then reset: nothing lingers on either side. */
export function tcpProbe(reactor: Reactor, host: string, port: number): Probe {
  return async (deadline) => {
    const made = await connect(reactor, host, port, deadline);
    if ("why" in made) return made.why;
    abort(made.fd);
    return undefined;
  };
}
