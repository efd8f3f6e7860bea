import { SERVER_CORE } from "./server.ts";

/** Set in the process that runs inside. */
const INSIDE = "TERN_BENCH_NETWORK";
const CPUS = (1 << Number(SERVER_CORE)).toString(16);
const SETUP = `mount -t sysfs none /sys && ip link set lo up &&
  echo ${CPUS} > /sys/class/net/lo/queues/rx-0/rps_cpus && exec "$@"`;

/**
 * Go on in a loopback network of our own, in which whatever is received is seen to by the server's
 * core: as if it were a machine of one core, with clients and backend elsewhere. On the plain
 * loopback the work of receiving falls on whoever sends, which is the load's core: it is then the
 * limit for everybody, and what a kernel does by itself for a balancer (sockmap) is done there.
 *
 * Answers whether we are inside; the process outside ends here, as the one inside does. False when
 * we have not the rights, or no unshare(1) and ip(8).
 */
export async function inOwnNetwork(): Promise<boolean> {
  if (process.env[INSIDE] !== undefined) return true;
  const inside = (...command: string[]): string[] => [
    "unshare",
    "-n",
    "-m",
    "sh",
    "-c",
    ...command,
  ];
  try {
    const trial = inside(SETUP, "sh", "true");
    if (Bun.spawnSync(trial, { stdio: ["ignore", "ignore", "ignore"] }).exitCode !== 0)
      return false;
  } catch {
    return false; // no unshare(1)
  }
  const child = Bun.spawn(inside(SETUP, "sh", ...process.argv), {
    env: { ...process.env, [INSIDE]: "1" },
    stdio: ["inherit", "inherit", "inherit"],
  });
  process.exit(await child.exited);
}
