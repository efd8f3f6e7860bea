import * as v from "valibot";

import type { Address } from "../core/address.ts";
import { parseIp } from "../core/ip.ts";
import { addressList, path } from "./places.ts";
import { at } from "./scalar.ts";
import { passwordHash, type Secret } from "./secret.ts";

const IPV4_LOOPBACK = 127;

const user = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[^\s:]+$/, "expected a name without spaces and colons")),
  password: passwordHash,
  access: v.optional(
    v.pipe(v.picklist(["full", "readonly"]), v.description("full may also change things.")),
    "full",
  ),
});

/** The contract's `admin:`. */
export const admin = v.pipe(
  v.strictObject({
    listen: v.optional(
      v.pipe(addressList, v.description("API, console and /metrics.")),
      "127.0.0.1:9900",
    ),
    socket: v.optional(
      v.pipe(path, v.description("Unix socket for the CLI; tern.sock in `state` when not given.")),
    ),
    users: v.optional(v.array(user), []),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { listen, users } = dataset.value;
    if (users.length === 0 && !listen.every(isPrivate))
      addIssue({
        message: "others can reach this, so `users` must name who may come in",
        path: at(dataset.value, "listen"),
      });
    const names = users.map((user) => user.name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined)
      addIssue({
        message: `two users are named ${JSON.stringify(twice)}`,
        path: at(dataset.value, "users"),
      });
  }),
);

/** Who may manage the appliance, and where. */
export interface AdminConfig {
  readonly listen: readonly Address[];
  /** Path of the CLI's unix socket. */
  readonly socket: string;
  readonly users: readonly {
    readonly name: string;
    readonly password: Secret;
    readonly access: "full" | "readonly";
  }[];
}

/** Only this machine can connect to it. */
function isPrivate(address: Address): boolean {
  if (address.kind === "unix") return true;
  const ip = parseIp(address.host);
  if (ip?.version === 4) return ip.words[0] >>> 24 === IPV4_LOOPBACK;
  return ip !== undefined && ip.words.every((word, i) => word === (i === 3 ? 1 : 0));
}
