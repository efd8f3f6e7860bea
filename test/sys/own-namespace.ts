import { afterAll } from "bun:test";

import { NetworkNamespace } from "../../src/sys/netns.ts";

let made = 0;

/** A network namespace of this test file alone, gone with it. Ask for it in a test as root only. */
export function ownNamespace(): { readonly name: string; readonly namespace: NetworkNamespace } {
  const name = `tn-${process.pid}-${made++}`;
  ip("netns", "add", name);
  const namespace = new NetworkNamespace(name);
  afterAll(() => {
    namespace.close();
    ip("netns", "del", name);
  });
  return { name, namespace };
}

/** What ip(8) prints. Throws with what it complains of. */
export function ip(...args: string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync(["ip", ...args]);
  if (!success) throw new Error(`ip ${args.join(" ")}: ${stderr.toString()}`);
  return stdout.toString();
}
