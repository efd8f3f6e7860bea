import { expect, test } from "bun:test";
import { join } from "node:path";

import { socketPath } from "../../src/cli/socket-path.ts";
import { temporary } from "../fake/temporary.ts";

test.each([
  { story: "the default is beside the config", text: "web: {}", is: "var/tern.sock" },
  { story: "in its state", text: "state: ./data", is: "data/tern.sock" },
  { story: "by its name", text: "{ state: x, admin: { socket: run/t.sock } }", is: "run/t.sock" },
  { story: "from the root", text: "admin: { socket: /run/t.sock }", is: "/run/t.sock" },
  { story: "in a config with mistakes", text: "{ state: x, wbe: 1 }", is: "x/tern.sock" },
  { story: "in a config that is no YAML", text: "web: [", is: "var/tern.sock" },
  { story: "in a config that is empty", text: "", is: "var/tern.sock" },
  { story: "of the wrong kind", text: "{ state: 7, admin: 3 }", is: "var/tern.sock" },
])("$story", async ({ text, is }) => {
  await using dir = await temporary();
  const config = join(dir.path, "tern.yaml");
  await Bun.write(config, text);
  expect(socketPath({ config })).toBe(is.startsWith("/") ? is : join(dir.path, is));
});

test("what is told counts more than any config", () => {
  expect(socketPath({ config: "/nowhere.yaml", socket: "/run/x.sock" })).toBe("/run/x.sock");
});
