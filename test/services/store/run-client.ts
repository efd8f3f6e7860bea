/** Run a client to its end; throws with what it said when it fails. */
export async function run(command: readonly string[], stdin?: string): Promise<string> {
  // Clients of AWS refuse a CA bundle that is meant for others.
  const { AWS_CA_BUNDLE: _, ...env } = process.env;
  const child = Bun.spawn([...command], {
    env,
    stdin: stdin === undefined ? "ignore" : new TextEncoder().encode(stdin),
    stdout: "pipe",
    stderr: "pipe",
    timeout: 60_000,
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}: ${out}${err}`);
  return out + err;
}
