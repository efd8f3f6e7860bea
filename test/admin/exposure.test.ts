import { expect, test } from "bun:test";

import { checkAdminExposure } from "../../src/admin/exposure.ts";
import type { Address } from "../../src/core/address.ts";
import { ANN } from "./fake-deps.ts";

const tcp = (host: string): Address => ({ kind: "tcp", host, port: 9900 });

test.each([
  { story: "loopback", listen: [tcp("127.0.0.1")], exposed: undefined },
  { story: "all of 127/8", listen: [tcp("127.1.2.3")], exposed: undefined },
  { story: "IPv6 loopback", listen: [tcp("::1")], exposed: undefined },
  { story: "IPv4 loopback in IPv6 clothes", listen: [tcp("::ffff:127.0.0.1")], exposed: undefined },
  { story: "localhost", listen: [tcp("localhost")], exposed: undefined },
  {
    story: "a unix socket",
    listen: [{ kind: "unix", path: "/run/a.sock" } as const],
    exposed: undefined,
  },
  { story: "nothing", listen: [], exposed: undefined },
  { story: "every address", listen: [tcp("")], exposed: ":9900" },
  { story: "every IPv4 address", listen: [tcp("0.0.0.0")], exposed: "0.0.0.0:9900" },
  { story: "every IPv6 address", listen: [tcp("::")], exposed: "[::]:9900" },
  { story: "a name", listen: [tcp("admin.example")], exposed: "admin.example:9900" },
  { story: "one of two", listen: [tcp("127.0.0.1"), tcp("10.0.0.1")], exposed: "10.0.0.1:9900" },
])("$story, without users", ({ listen, exposed }) => {
  const problem = checkAdminExposure({ listen, users: [] });
  expect(problem?.message.split(" ")[0]).toBe(exposed);
  expect(checkAdminExposure({ listen, users: [ANN] })).toBeUndefined();
});
