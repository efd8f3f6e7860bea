import * as v from "valibot";

import * as scalars from "../../src/config/scalars.ts";

/** A section with every word a section can be made of; what it says stands in cases/. */
export const demo: v.GenericSchema = v.strictObject({
  duration: v.optional(scalars.duration, "5s"),
  size: v.optional(scalars.size, "64MiB"),
  rate: v.optional(scalars.rate),
  bandwidth: v.optional(scalars.bandwidth),
  listen: v.optional(scalars.addressList),
  address: v.optional(scalars.address),
  network: v.optional(scalars.cidr),
  writers: v.optional(scalars.cidrList),
  hosts: v.optional(scalars.hostRange),
  root: v.optional(scalars.path),
  secret: v.optional(scalars.secret),
  password: v.optional(scalars.passwordHash),
  socket: v.optional(scalars.socketOptions, {}),
  count: v.optional(scalars.count()),
  side: v.optional(v.picklist(["left", "right"])),
  fallback: v.optional(v.nullable(v.string()), null),
  servers: v.optional(
    v.array(
      v.union([
        v.pipe(
          scalars.hostRange,
          v.transform((hosts) => ({ hosts })),
        ),
        v.strictObject({ name: v.string(), weight: v.optional(scalars.count(1), 1) }),
      ]),
    ),
  ),
  sites: v.optional(v.record(v.string(), v.strictObject({ on: v.optional(v.boolean(), true) }))),
});

/** Sections of the contract that this version does not have. */
export const LATER = ["dns", "proxy", "balance", "pools"];

export const ENV = { TOKEN: "t0ken", EMPTY: "" };

export const FILES: Readonly<Record<string, string>> = {
  "/etc/tern/token": "from a file\n",
  "/etc/tern/guest.hash": "$argon2id$v=19$m=65536,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g\n",
  "/etc/tern/plain.hash": "hunter2\n",
};

/** Stands for the file system: only FILES are there. */
export function readFile(path: string): string {
  const text = FILES[path];
  if (text === undefined) throw new Error(`${path}: no such file`);
  return text;
}
