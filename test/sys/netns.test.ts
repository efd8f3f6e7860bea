import { expect } from "bun:test";
import { readlinkSync } from "node:fs";

import { NetworkNamespace } from "../../src/sys/netns.ts";
import { asRoot } from "./needs.ts";
import { ip, ownNamespace } from "./own-namespace.ts";

const here = (): string => readlinkSync("/proc/thread-self/ns/net");

asRoot("a visit is inside, and back again whatever happens", () => {
  const { name, namespace } = ownNamespace();
  const home = here();
  const inside = namespace.run(here);
  expect(inside).not.toBe(home);
  expect(here()).toBe(home);
  expect(() =>
    namespace.run(() => {
      throw new Error("in there");
    }),
  ).toThrow("in there");
  expect(here()).toBe(home);
  expect(ip("netns", "exec", name, "readlink", "/proc/self/ns/net").trim()).toBe(inside);
});

asRoot("by path as well; what is none says so", () => {
  const { name } = ownNamespace();
  const byPath = new NetworkNamespace(`/run/netns/${name}`);
  expect(byPath.run(here)).not.toBe(here());
  byPath.close();
  expect(() => new NetworkNamespace("tn-not-there")).toThrow(
    "open /run/netns/tn-not-there: ENOENT",
  );
  const file = new NetworkNamespace("/etc/passwd");
  expect(() => file.run(here)).toThrow("setns /etc/passwd: EINVAL");
  file.close();
});
