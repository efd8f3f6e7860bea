import fc from "fast-check";

import {
  type Admin,
  type Director,
  type Group,
  type Host,
  SCHEDULERS,
  type Service,
} from "../../../../src/config/import/pydir/director.ts";

/** What `balance:` takes, so that it stays as it is. */
const plain: fc.Arbitrary<string> = fc.oneof(
  fc.stringMatching(/^[A-Za-z_.-][\w.-]{0,8}$/),
  fc.constantFrom("off", "null", "true", "-", ".inf", "0x10", "1e3", "--"),
);

/** What a host's name may be: whatever an operator types, and what breaks quoting. */
const name: fc.Arbitrary<string> = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9.-]{0,8}$/),
  fc.constantFrom(
    "off",
    "null",
    "1",
    "- x",
    "a: b",
    "{}",
    "<b>&\"'",
    "é ü",
    "#",
    "__proto__",
    "--",
  ),
  fc.string({ minLength: 1, maxLength: 8, unit: "grapheme-ascii" }).filter((s) => s.trim() === s),
);
const octet = fc.nat(255);
const v4 = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join("."));
const port = fc.integer({ min: 1, max: 65_535 });
const listen = fc
  .tuple(fc.oneof(v4, fc.constant("*")), port)
  .map(([host, port]) => `${host}:${port}`);
const ip = fc
  .tuple(fc.oneof(v4, fc.stringMatching(/^[a-z][a-z0-9]{0,9}\.example$/)), port)
  .map(([host, port]) => `${host}:${port}`);

/** Hosts in the order that an export has them. */
const hosts: fc.Arbitrary<Host[]> = fc
  .uniqueArray(fc.record({ name, ip }), {
    minLength: 1,
    maxLength: 4,
    comparator: (a, b) => a.name === b.name || a.ip === b.ip || a.name === b.ip || a.ip === b.name,
  })
  .map((all) => all.toSorted((a, b) => (a.ip < b.ip ? -1 : 1)));

const group: fc.Arbitrary<Group> = fc.record({
  name: plain,
  scheduler: fc.constantFrom(...SCHEDULERS),
  hosts,
});

const service: fc.Arbitrary<Service> = fc
  .record({
    name: plain,
    listen: fc.uniqueArray(listen, { minLength: 1, maxLength: 3 }),
    groups: fc.uniqueArray(group, { minLength: 1, maxLength: 3, selector: (g) => g.name }),
  })
  .chain((rest) =>
    fc
      .constantFrom(...rest.groups.map((g) => g.name))
      .map((enable): Service => ({ ...rest, enable })),
  );

const HASHES = [
  "iya2/im3qjwhU",
  "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1",
  "$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.",
];

const admin: fc.Arbitrary<Admin> = fc.record({
  listen,
  secure: fc.boolean(),
  users: fc.uniqueArray(
    fc.record({
      name: name.filter((text) => /^[^\s:]+$/.test(text)),
      password: fc.constantFrom(...HASHES),
      access: fc.constantFrom("full", "readonly"),
    }),
    { minLength: 1, maxLength: 3, selector: (user) => user.name },
  ),
});

/** Anything that a pythondirector can be told, as reading it gives. */
export const director: fc.Arbitrary<Director> = fc.record({
  services: fc.uniqueArray(service, { minLength: 1, maxLength: 3, selector: (s) => s.name }),
  admin: fc.option(admin, { nil: undefined }),
  logging: fc.option(fc.constantFrom("/var/log/pydir.log", "pydir.log", "a b.log", 'é&".log'), {
    nil: undefined,
  }),
  checktime: fc.integer({ min: 1, max: 86_400 }),
});
