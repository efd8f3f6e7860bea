import type { Address } from "../../core/address.ts";
import { address } from "../../sys/memory.ts";
import type { SocketAddress } from "../../sys/sockaddr.ts";
import { boundTo } from "../../sys/socket-options.ts";
import { send } from "../../sys/socket.ts";
import { emitV1, emitV2 } from "../../wire/proxy-protocol.ts";
import { emitDetails, type ProxyDetails } from "../../wire/proxy-tlv.ts";
import type { Connection } from "./connection.ts";

/** Tell a server whose connection it gets, by a PROXY header: its first bytes. */
export function introduce(
  { client, remote }: Connection,
  server: number,
  version: "v1" | "v2",
  details: ProxyDetails,
): void {
  const { address: host, port } = remote;
  const source: Address | undefined = host === "unix" ? undefined : { kind: "tcp", host, port };
  const destination = addressOf(boundTo(client));
  const header =
    version === "v1"
      ? emitV1(source, destination)
      : emitV2(source, destination, emitDetails(details));
  // An empty socket buffer takes it whole, or the connection is broken, which its relay will see.
  send(server, address(header), header.length, true);
}

function addressOf(bound: SocketAddress | undefined): Address | undefined {
  if (bound?.kind !== "inet" && bound?.kind !== "inet6") return undefined;
  return { kind: "tcp", host: bound.host, port: bound.port };
}
