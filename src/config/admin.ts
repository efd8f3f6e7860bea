import * as v from "valibot";

import type { Address } from "../core/address.ts";
import { isPrivate } from "../core/loopback.ts";
import { pathTo } from "./key.ts";
import { hostName } from "./names.ts";
import { addressList, path } from "./places.ts";
import { loginHash, type Secret } from "./secret.ts";

const user = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[^\s:]+$/, "expected a name without spaces and colons")),
  password: loginHash,
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
    tls: v.optional(
      v.pipe(
        v.boolean() as v.GenericSchema<unknown, boolean>,
        v.description("With the first of the certificates of `tls`, else a self-signed one."),
      ),
      false,
    ),
    socket: v.optional(
      v.pipe(path, v.description("Unix socket for the CLI; tern.sock in `state` when not given.")),
    ),
    hosts: v.optional(
      v.pipe(
        v.array(hostName),
        v.description("Names it may be called by, besides localhost and its addresses."),
      ),
      [],
    ),
    users: v.optional(v.array(user), []),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { listen, users } = dataset.value;
    if (users.length === 0 && !listen.every(isPrivate))
      addIssue({
        message: "others can reach this, so `users` must name who may come in",
        path: pathTo(dataset.value, "listen"),
      });
    const names = users.map((user) => user.name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined)
      addIssue({
        message: `two users are named ${JSON.stringify(twice)}`,
        path: pathTo(dataset.value, "users"),
      });
  }),
);

/** Who may manage the appliance, and where. */
export interface AdminConfig {
  readonly listen: readonly Address[];
  /** Whether all of `listen` speak TLS. */
  readonly tls: boolean;
  /** Path of the CLI's unix socket. */
  readonly socket: string;
  /** Names by which `listen` may be called, besides localhost and its addresses; lower case. */
  readonly hosts: readonly string[];
  readonly users: readonly {
    readonly name: string;
    readonly password: Secret;
    readonly access: "full" | "readonly";
  }[];
}
