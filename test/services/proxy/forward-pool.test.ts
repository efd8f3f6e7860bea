/** Hosts that strangers ask for: which are gone to, and which the DNS is asked about. */
import { expect, test } from "bun:test";

import { parseCidr } from "../../../src/core/cidr.ts";
import { ForwardPools } from "../../../src/services/proxy/forward-pool.ts";

const OUTER = "93.184.215.14";

test.each([
  { story: "a name on the list", allow: ["a.example"], host: "a.example", to: OUTER },
  { story: "one below it", allow: ["*.a.example"], host: "b.A.example.", to: OUTER },
  { story: "another name", allow: ["a.example"], host: "b.example", to: 403, unasked: true },
  {
    story: "one that ends like it",
    allow: ["*.a.example"],
    host: "xa.example",
    to: 403,
    unasked: true,
  },
  { story: "no list", allow: [], host: "a.example", to: 403, unasked: true },
  { story: "an address that is listed", allow: [OUTER], host: "b.example", to: OUTER },
  { story: "one that is not", allow: ["10.0.0.0/8"], host: "b.example", to: 403 },
  { story: "a name that leads inside", allow: ["*"], host: "inner.example", to: 403 },
  {
    story: "… where that is listed",
    allow: ["10.0.0.0/8"],
    host: "inner.example",
    to: "10.0.0.1",
  },
  { story: "a number for loopback", allow: ["*"], host: "2130706433", to: 403 },
  { story: "loopback", allow: ["*"], host: "127.0.0.1", to: 403, unasked: true },
  {
    story: "in the clothes of IPv6",
    allow: ["*"],
    host: "[::ffff:127.0.0.1]",
    to: 403,
    unasked: true,
  },
  { story: "of IPv6", allow: ["*"], host: "[::1]", to: 403, unasked: true },
  { story: "of any kind", allow: ["*"], host: "[::]", to: 403, unasked: true },
  { story: "an outer address", allow: ["*"], host: OUTER, to: OUTER, unasked: true },
  {
    story: "one without a list that has it",
    allow: ["a.example"],
    host: OUTER,
    to: 403,
    unasked: true,
  },
  { story: "another port", allow: ["*"], host: "a.example:22", to: 403, unasked: true },
  { story: "no host", allow: ["*"], host: ":80", to: 400, unasked: true },
])("$story: $host", async ({ allow, host, to, unasked = false }) => {
  const heard: string[] = [];
  const known: Record<string, string> = { "inner.example": "10.0.0.1", "2130706433": "127.0.0.1" };
  const pools = new ForwardPools(
    { allow: allow.map((one) => parseCidr(one) ?? one), port: 80, ports: [80] },
    async (name) => {
      heard.push(name);
      return [known[name] ?? OUTER];
    },
    () => 0,
  );
  const found = await pools.poolFor(host);
  const server = "status" in found ? found.status : found.choose({ hash: 0, address: "" });
  expect<unknown>(typeof server === "object" ? server.host : server).toBe(to);
  if (unasked) expect(heard).toBeEmpty();
});
