/**
 * Run the command line; resolves with an exit code. Never rejects, never exits by itself. A worker
 * comes by here too: it pays neither time nor memory for a parser it has no use for.
 */
export async function main(args: readonly string[]): Promise<number> {
  if (args[0] === "worker") return (await import("./worker.ts")).default();
  return (await import("./program.ts")).runProgram(args);
}
