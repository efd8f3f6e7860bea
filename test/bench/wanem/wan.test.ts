import { expect } from "bun:test";

import { said } from "../../e2e/binary.ts";
import { needs } from "../../sys/needs.ts";
import { wideArea } from "./wan.ts";

const have = process.getuid?.() === 0 && Bun.which("ping") !== null;

needs(have, "root and ping")(
  "a link is as slow as it is told to be, in both families, and goes down and up",
  async () => {
    await using wan = await wideArea("delay=30ms");
    const ping = async (to: string, ...options: string[]): Promise<string> => {
      const command = ["ip", "netns", "exec", wan.near, "ping", "-i", "0.05", ...options, to];
      return (await said(command)).out;
    };
    const [, fastest = ""] =
      /min\/avg\/max\/mdev = ([\d.]+)/.exec(await ping(wan.farAddress, "-c", "8")) ?? [];
    expect(Number(fastest)).toBeWithin(60, 63);
    expect(await ping("fd99::2", "-c", "2")).toContain("2 received");
    wan.set("down");
    expect(await ping(wan.farAddress, "-c", "2", "-W", "0.3")).toContain(" 0 received");
    wan.set("up ab.duplicate=100 delay=1ms");
    expect(await ping(wan.farAddress, "-c", "2")).toContain("duplicates");
    const { there, back } = await wan.stats();
    expect(there.lost).toBeGreaterThanOrEqual(2);
    expect(there.doubled).toBeGreaterThan(0);
    expect(back.refused + there.refused).toBe(0);
  },
  20_000,
);
