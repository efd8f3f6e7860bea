import { LOAD_CORE } from "./server.ts";

/** What dnsperf is to do. */
export interface DnsLoad {
  readonly port: number;
  /** A file of questions. */
  readonly questions: string;
  readonly mode: "udp" | "tcp" | "dot";
  readonly clients: number;
  /** Questions under way. */
  readonly outstanding: number;
  /** With EDNS and DO. */
  readonly signed: boolean;
}

export interface DnsRound {
  readonly answers: number;
  readonly lost: number;
  readonly seconds: number;
  /** Of each rcode, in percent. */
  readonly rcodes: Readonly<Record<string, number>>;
}

/** One round of dnsperf on the load's core. */
export async function dnsperf(load: DnsLoad, seconds: number): Promise<DnsRound> {
  const { port, questions, mode, clients, outstanding, signed } = load;
  const command = ["dnsperf", "-s", "127.0.0.1", "-p", String(port), "-d", questions, "-m", mode];
  command.push("-l", String(seconds), "-c", String(clients), "-q", String(outstanding));
  if (signed) command.push("-e", "-D");
  const child = Bun.spawn(["taskset", "-c", LOAD_CORE, ...command], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, complaint] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const figure = (name: string): number =>
    Number(new RegExp(`${name}: +([\\d.]+)`).exec(output)?.[1]);
  const answers = figure("Queries completed");
  const lost = figure("Queries lost");
  const took = figure("Run time \\(s\\)");
  if (!(took > 0)) throw new Error(`dnsperf said:\n${output}${complaint}`);
  const codes = /Response codes: +(.*)/.exec(output)?.[1] ?? "";
  const rcodes = Object.fromEntries(
    [...codes.matchAll(/(\w+) \d+ \(([\d.]+)%\)/g)].map(([, code = "", part]) => [
      code,
      Number(part),
    ]),
  );
  return { answers, lost, seconds: took, rcodes };
}
