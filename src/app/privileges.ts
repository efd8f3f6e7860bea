import { chownSync, closeSync, fchownSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";

import type { RootConfig } from "../config/root.ts";
import type { LocalSockets } from "../net/local-sockets.ts";
import { capabilities, type Capability, dropTo, findUser, type User } from "../sys/identity.ts";
import type { Config } from "./config-text.ts";
import { wantsPing } from "./wants-ping.ts";

/** Who this process is after `dropPrivileges`. */
export type Dropped =
  | { readonly kind: "never root" }
  | { readonly kind: "dropped"; readonly user: User }
  /** The operator wants it so: `user: root`. */
  | { readonly kind: "root by choice" }
  | { readonly kind: "no such user" };

/**
 * Stop being root before anything of a stranger's is read: only the right to bind low ports is
 * kept, with checks of kind icmp the right to ping, and with tunnels that to make network devices. What must belong to the user is given to it first: the state directory, the log files,
 * and sockets that came from elsewhere (a port is shared by sockets of one user only).
 */
export function dropPrivileges({ root, sections }: Config, sockets: LocalSockets): Dropped {
  if (process.geteuid?.() !== 0) return { kind: "never root" };
  const user = findUser(root.user);
  if (user === undefined) return { kind: "no such user" };
  if (user.uid === 0) return { kind: "root by choice" };
  chownSync(root.state, user.uid, user.gid);
  for (const file of [root.log.file, root.accessLog?.file]) if (file) giveFile(file, user);
  sockets.giveTo(user.uid, user.gid);
  const keep: Capability[] = ["CAP_NET_BIND_SERVICE"];
  // Not everywhere does root have it: the check itself then says what is missing.
  if (wantsPing(sections) && capabilities().permitted.includes("CAP_NET_RAW"))
    keep.push("CAP_NET_RAW");
  keep.push(...forTunnels(sections));
  return { kind: "dropped", user: dropTo(root.user, { keep }) };
}

/** What a process needs for its tunnels: devices, addresses and routes are made by whoever has them. */
export function forTunnels(sections: Config["sections"]): Capability[] {
  const wanted = Object.keys(sections["tunnel"] ?? {}).length > 0;
  return wanted && capabilities().permitted.includes("CAP_NET_ADMIN") ? ["CAP_NET_ADMIN"] : [];
}

/** Who this process is now, by the name of the config's user when it is that one. */
export function userName({ user }: Pick<RootConfig, "user">): string {
  const uid = process.geteuid?.();
  if (uid === 0) return "root";
  return findUser(user)?.uid === uid ? user : `uid ${uid}`;
}

/** Make a log file when it is missing, so that the user can write where only root can make files. */
function giveFile(path: string, { uid, gid }: User): void {
  if (path === "-") return;
  mkdirSync(dirname(path), { recursive: true });
  if (statSync(path, { throwIfNoEntry: false })?.isFIFO()) return;
  const fd = openSync(path, "a", 0o640);
  fchownSync(fd, uid, gid);
  closeSync(fd);
}
