import { SysError } from "../../../sys/errno.ts";
import type { Reactor } from "../../reactor.ts";
import { portFor, type Target } from "../check.ts";
import type { Probe } from "../watch.ts";
import { dnsProbe } from "./dns.ts";
import { execProbe } from "./exec.ts";
import { httpProbe } from "./http.ts";
import { Pings } from "./ping.ts";
import { tcpProbe } from "./tcp.ts";

/** A probe of every kind, over the sockets of this thread. Throws an Error for operators when one cannot be. */
export function probes(reactor: Reactor): (target: Target) => Probe {
  const pings = new Pings(reactor);
  return (target) => {
    const { host, check } = target;
    const port = portFor(target);
    switch (check.kind) {
      case "icmp":
        return allowed(() => pings.probe(host, check.timeout));
      case "tcp":
        return tcpProbe(reactor, host, port);
      case "http":
      case "https":
        return httpProbe(reactor, host, port, check);
      case "dns":
        return dnsProbe(host, port, check);
      case "exec":
        return execProbe(host, port, check);
    }
  };
}

function allowed(make: () => Probe): Probe {
  try {
    return make();
  } catch (cause) {
    const denied = cause instanceof SysError && (cause.code === "EPERM" || cause.code === "EACCES");
    if (!denied) throw cause;
    throw new Error(
      "checks of kind icmp need CAP_NET_RAW (start as root, or in the systemd unit " +
        "AmbientCapabilities=CAP_NET_RAW), or the group in net.ipv4.ping_group_range",
      { cause },
    );
  }
}
