import { cpus, release, totalmem } from "node:os";

/** What the figures were measured on, in one line. */
export async function machine(): Promise<string> {
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  const when = new Date().toISOString().slice(0, 16);
  return `${cpus().length} × ${cpu?.model.trim() ?? "unknown"}, ${memory}, Linux ${release()}, Bun ${Bun.version}, ${when}`;
}
