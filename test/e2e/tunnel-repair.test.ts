/** Tunnels that repair what their path loses. Root only. */
import { expect, setDefaultTimeout, test } from "bun:test";

import type { TunnelStatus } from "../../src/services/tunnel/status.ts";
import { wideArea } from "../bench/wanem/wan.ts";
import { said } from "./binary.ts";
import { appliance, TERN, until } from "./from-source.ts";
import { datagramsLost, iperf, lab, twoEnds } from "./tunnel-lab.ts";

setDefaultTimeout(180_000);

const root = process.getuid?.() === 0;
const UDT = { transport: "udt" };

test.if(root)("ping, TCP and UDP go through; a killed end is met again", async () => {
  await using net = await lab();
  const ends = twoEnds({ near: UDT, far: UDT });
  await using far = await net.tern("far", { warp: ends.far });
  {
    await using near = await net.tern("near", { warp: ends.near });
    await far.logged("a tunnel is up");
    await until(async () => (await net.lost("far", "10.60.0.1", 1)) === 0, 5000);
    for (const to of ["10.60.0.1", "fd60::1"]) {
      expect(await net.lost("far", to)).toBe(0);
      for (const way of [[], ["-R"]])
        expect((await iperf(net, to, ...way)).bitsPerSecond).toBeGreaterThan(20e6);
    }
    expect(await datagramsLost(net, "10.60.0.1")).toBeLessThan(5);
    process.kill(near.pid, "SIGKILL");
  }
  await using near = await net.tern("near", { warp: ends.near });
  await near.logged("a tunnel is up");
  await until(async () => (await net.lost("far", "10.60.0.1", 1)) === 0, 15_000);
  const { out } = await far.verb("tunnel", "status", "--json");
  const { traffic } = (JSON.parse(out) as { warp: TunnelStatus }).warp;
  expect(traffic).toMatchObject({ forged: 0, malformed: 0, refused: 0 });
});

test.if(root).each([{}, { fec: { data: 5, parity: 1 } }])(
  "a path that loses one packet in twenty loses none of what is inside: %o",
  async (repair) => {
    await using net = await wideArea("delay=20ms loss=5", "te");
    const ends = twoEnds({
      near: { listen: `${net.nearAddress}:9000`, ...UDT },
      far: { peer: `${net.nearAddress}:9000`, ...UDT, repair },
    });
    const at = (name: string, warp: object) =>
      appliance(
        (dir) => ({
          workers: 1,
          user: "root",
          state: `${dir}/var`,
          admin: { listen: [] },
          tunnel: { warp },
        }),
        { command: ["ip", "netns", "exec", name, ...TERN] },
      );
    await using near = await at(net.near, ends.near);
    await using far = await at(net.far, ends.far);
    await near.logged("a tunnel is up");
    await far.logged("a tunnel is up");
    await Bun.sleep(500);
    const ping = ["ping", "-n", "-q", "-c", "200", "-i", "0.02", "-W", "3", "10.60.0.1"];
    const { out } = await said(["ip", "netns", "exec", net.far, ...ping]);
    expect(out).toContain("200 received, 0% packet loss");
    if (!("fec" in repair)) return;
    // While there is little to say, all of it goes twice: so something has to be moved.
    const lines = {
      run: (side: "near" | "far", ...command: string[]) =>
        said(["ip", "netns", "exec", net[side], ...command]),
      spawn: (side: "near" | "far", ...command: string[]) =>
        Bun.spawn(["ip", "netns", "exec", net[side], ...command], {
          stdio: ["ignore", "ignore", "ignore"],
        }),
    };
    await until(async () => {
      expect((await iperf(lines, "10.60.0.1")).bitsPerSecond).toBeGreaterThan(0);
      const { out: status } = await near.verb("tunnel", "status", "--json");
      const { repairs, traffic } = (JSON.parse(status) as { warp: TunnelStatus }).warp;
      expect(traffic).toMatchObject({ forged: 0, malformed: 0 });
      return (repairs?.mended ?? 0) > 10;
    });
  },
);
