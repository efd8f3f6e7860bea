import { said } from "../e2e/binary.ts";

/** Two machines on one wire, as network namespaces; root only. Gone at the end of the scope. */
export interface TwoNamespaces extends AsyncDisposable {
  /** In front of a command that is to run here. */
  readonly near: readonly string[];
  readonly far: readonly string[];
  /** Two addresses of the far one; the near one is `NEAR`. */
  readonly hosts: readonly [string, string];
  /** What the far one sends from its second address is lost, or arrives again. */
  blackhole(lost: boolean): Promise<void>;
}

const NEAR = "10.211.0.1";
const HOSTS = ["10.211.0.2", "10.211.0.3"] as const;

export async function twoNamespaces(): Promise<TwoNamespaces> {
  const [near, far] = ["near", "far"].map((side) => `tern-${side}-${process.pid}`) as [
    string,
    string,
  ]; // one for each
  const ip = async (...args: string[]): Promise<void> => {
    const { code, err } = await said(["ip", ...args]);
    if (code !== 0) throw new Error(`ip ${args.join(" ")}: ${err}`);
  };
  const remove = async (): Promise<void> => {
    for (const name of [near, far]) await said(["ip", "netns", "del", name]);
  };
  try {
    for (const name of [near, far]) {
      await ip("netns", "add", name);
      await ip("-n", name, "link", "set", "lo", "up");
    }
    await ip(
      "-n",
      near,
      "link",
      "add",
      "wire",
      "type",
      "veth",
      "peer",
      "name",
      "wire",
      "netns",
      far,
    );
    await ip("-n", near, "address", "add", `${NEAR}/24`, "dev", "wire");
    for (const host of HOSTS) await ip("-n", far, "address", "add", `${host}/24`, "dev", "wire");
    for (const name of [near, far]) await ip("-n", name, "link", "set", "wire", "up");
  } catch (failed) {
    await remove();
    throw failed;
  }
  return {
    near: ["ip", "netns", "exec", near],
    far: ["ip", "netns", "exec", far],
    hosts: HOSTS,
    blackhole: (lost) => ip("-n", far, "rule", lost ? "add" : "del", "blackhole", "from", HOSTS[1]),
    [Symbol.asyncDispose]: remove,
  };
}
