import { describe, expect } from "bun:test";
/** Two terns, two ways of different length, and other people's recursors between them. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { decodeMessage, encodeMessage } from "../../src/wire/dns/message.ts";
import { parseName } from "../../src/wire/dns/name.ts";
import { showRdata } from "../../src/wire/dns/rdata/show.ts";
import { TYPE } from "../../src/wire/dns/types.ts";
import { FLAG } from "../../src/wire/dns/writer.ts";
import { freePort } from "../fake/ports.ts";
import { temporary } from "../fake/temporary.ts";
import { needs } from "../sys/needs.ts";
import { appliance, siteIn } from "./from-source.ts";
import { slowWay } from "./slow-way.ts";

const LEFT = "10.0.0.1";
const RIGHT = "10.0.0.2";
const START_MS = 5000;

interface Recursor {
  readonly program: string;
  /** Arguments to run it in `dir` on `port`, asking `ways` for the zones. */
  run(dir: string, port: number, ways: Ways): Promise<readonly string[]>;
}

/** Ports that lead to the two sides. */
interface Ways {
  readonly left: number;
  readonly right: number;
  /** Which of them serves the public names. */
  readonly asks: "left" | "right";
}

const unbound: Recursor = {
  program: "/usr/sbin/unbound",
  async run(dir, port, ways) {
    const stub = (zone: string, to: number) =>
      `stub-zone:\n  name: "${zone}."\n  stub-addr: 127.0.0.1@${to}\n`;
    const file = join(dir, "unbound.conf");
    await Bun.write(
      file,
      `server:
  interface: 127.0.0.1
  port: ${port}
  num-threads: 1
  username: ""
  chroot: ""
  directory: "${dir}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  do-not-query-localhost: no
  do-ip6: no
  module-config: "iterator"
  use-caps-for-id: yes
  qname-minimisation: yes
  local-zone: "test." nodefault
  access-control: 127.0.0.0/8 allow
remote-control:
  control-enable: no
${stub("i.test", ways[ways.asks])}${stub("l.test", ways.left)}${stub("r.test", ways.right)}`,
    );
    return ["/usr/sbin/unbound", "-d", "-c", file];
  },
};

const bind: Recursor = {
  program: "/usr/sbin/named",
  async run(dir, port, ways) {
    const zone = (name: string, to: number) =>
      `zone "${name}" { type forward; forward only; forwarders { 127.0.0.1 port ${to}; }; };\n`;
    const file = join(dir, "named.conf");
    await Bun.write(
      file,
      `options {
  directory "${dir}"; pid-file none; session-keyfile none; managed-keys-directory "${dir}";
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion yes; allow-query { any; }; dnssec-validation no; empty-zones-enable no;
};
controls { };
${zone("i.test", ways[ways.asks])}${zone("l.test", ways.left)}${zone("r.test", ways.right)}`,
    );
    return ["/usr/sbin/named", "-g", "-n", "1", "-c", file];
  },
};

/** One side as its operator writes it. */
function side(name: "left" | "right", port: number) {
  const [host, address] = name === "left" ? ["ga.l.test", LEFT] : ["ga.r.test", RIGHT];
  return (dir: string): object =>
    siteIn(
      dir,
      {},
      {
        dns: {
          ns: {
            listen: `127.0.0.1:${port}`,
            names: { [host]: { ttl: 100, tiers: [[address]] } },
            lrrr: {
              side: name,
              left: "l.test",
              right: "r.test",
              suffix: "i.test",
              secret: "sesame",
            },
          },
        },
      },
    );
}

/** The addresses a recursor gives; undefined while it says nothing. */
async function resolve(port: number, name: string, patience = 4000): Promise<string[] | undefined> {
  const question = { name: parseName(name) as Uint8Array, type: TYPE.A, class: 1 };
  const bytes = encodeMessage({
    id: 99,
    flags: FLAG.RD,
    opcode: 0,
    rcode: 0,
    questions: [question],
    answers: [],
    authorities: [],
    additionals: [],
  });
  const heard = Promise.withResolvers<Uint8Array>();
  const socket = await Bun.udpSocket({
    connect: { hostname: "127.0.0.1", port },
    socket: { data: (_, answer) => heard.resolve(new Uint8Array(answer)), error: () => {} },
  });
  socket.send(bytes as Uint8Array);
  const answer = await Promise.race([heard.promise, Bun.sleep(patience).then(() => undefined)]);
  socket.close();
  const message = answer && decodeMessage(answer);
  return message?.answers
    .filter((rr) => rr.type === TYPE.A)
    .map((rr) => showRdata(rr.type, rr.rdata));
}

describe.each([
  { who: "unbound", recursor: unbound },
  { who: "BIND", recursor: bind },
])("$who comes to the nearer side", ({ who, recursor }) => {
  const there = needs(Bun.file(recursor.program).size > 0, who);
  for (const { left, right, asks, wins } of [
    { left: 20, right: 80, asks: "left", wins: LEFT },
    { left: 20, right: 80, asks: "right", wins: LEFT },
    { left: 80, right: 20, asks: "left", wins: RIGHT },
    { left: 80, right: 20, asks: "right", wins: RIGHT },
  ] as const)
    there(
      `${left} ms to the left, ${right} to the right, asking the ${asks}`,
      async () => {
        const ports = {
          left: await freePort(),
          right: await freePort(),
          recursor: await freePort(),
        };
        await using dir = await temporary();
        await using _left = await appliance(side("left", ports.left));
        await using _right = await appliance(side("right", ports.right));
        using wayLeft = await slowWay(ports.left, left);
        using wayRight = await slowWay(ports.right, right);
        mkdirSync(join(dir.path, "recursor"));
        const ways = { left: wayLeft.port, right: wayRight.port, asks };
        const command = await recursor.run(join(dir.path, "recursor"), ports.recursor, ways);
        const child = Bun.spawn([...command], { stdio: ["ignore", "ignore", "ignore"] });
        try {
          for (
            let waited = 0;
            waited < START_MS && (await resolve(ports.recursor, "l.test.", 200)) === undefined;
            waited += 200
          );
          expect(await resolve(ports.recursor, "ga.i.test.")).toEqual([wins]);
          // Asked by another name of the same server, all is known but what only the other side knows.
          const before = wayLeft.count + wayRight.count;
          expect(await resolve(ports.recursor, "ga.i.test.")).toEqual([wins]);
          expect(wayLeft.count + wayRight.count - before).toBeLessThanOrEqual(4);
        } finally {
          child.kill();
          await child.exited;
        }
      },
      30_000,
    );
});
