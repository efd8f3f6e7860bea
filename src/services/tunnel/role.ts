import type { Peer } from "./scalars.ts";

/** Whoever has a peer to reach reaches for it, unless told otherwise. */
export function roleOf({
  role,
  peer: to,
}: {
  readonly role: "server" | "client" | null;
  readonly peer: Peer | null;
}): "server" | "client" {
  return role ?? (to === null ? "server" : "client");
}
