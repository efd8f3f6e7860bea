import { expect, test } from "bun:test";

import { addressesIn } from "../../../src/net/pools/hosts-file.ts";

const FILE = `# static names
127.0.0.1\tlocalhost
::1     localhost ip6-localhost # loopback
10.0.0.1  app.test App
#10.0.0.2 app.test
10.0.0.3 other.test app.test
broken broken
`;

test.each([
  { name: "localhost", says: ["127.0.0.1", "::1"] },
  { name: "APP", says: ["10.0.0.1"] },
  { name: "app.test.", says: ["10.0.0.1", "10.0.0.3"] },
  { name: "loopback", says: [] },
  { name: "broken", says: [] },
  { name: "", says: [] },
])("$name: $says", ({ name, says }) => {
  expect(addressesIn(FILE, name)).toEqual([...says]);
});
