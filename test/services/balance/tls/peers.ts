/** What the tests of a balancer's TLS have in common: certificates, servers and clients. */
import { connect, type ConnectionOptions, createServer, type TLSSocket } from "node:tls";

import { TcpServer } from "../../../../src/net/tcp-server/tcp-server.ts";
import { CertificateStore } from "../../../../src/net/tls/store.ts";
import { until } from "../../../e2e/from-source.ts";
import { certificate } from "../../../fake/certificate.ts";
import { type FakePool, FakeServer } from "../../../fake/pools.ts";
import { temporary } from "../../../fake/temporary.ts";
import { Balancing } from "../balancing.ts";

export const ends: (Disposable | AsyncDisposable)[] = [];
/** End what a test has begun, the last first. */
export async function endAll(): Promise<void> {
  for (const end of ends.splice(0).toReversed())
    if (Symbol.asyncDispose in end) await end[Symbol.asyncDispose]();
    else end[Symbol.dispose]();
}

export const ca = await certificate({ common: "our CA", authority: true });
export const a = await certificate({ names: ["a.example"], issuer: ca });
export const b = await certificate({ names: ["*.b.example"], issuer: ca });
export const local = await certificate({ names: ["127.0.0.1"], issuer: ca });
export const kim = await certificate({ common: "kim", issuer: ca });
export const eve = await certificate({ common: "eve" });
const files = await temporary();
for (const [name, made] of Object.entries({ ca, a, b, kim, eve, local })) {
  await Bun.write(`${files.path}/${name}.pem`, made.cert);
  await Bun.write(`${files.path}/${name}.key`, made.key);
}
export const file = (name: string): string => `${files.path}/${name}`;

export async function balancing(section: object, ...pools: FakePool[]): Promise<Balancing> {
  const certificates = new CertificateStore();
  certificates.change({
    certificates: [
      { ...a, names: ["a.example"] },
      { ...b, names: ["*.b.example"] },
    ],
  });
  const made = new Balancing(pools, undefined, certificates);
  ends.push(made);
  await made.use(section);
  return made;
}

/** A server in clear text; `handler` as a TcpServer's. */
export function backend(
  name: string,
  handler: ConstructorParameters<typeof TcpServer<undefined>>[0]["handler"],
): FakeServer {
  const server = new TcpServer({
    listen: "127.0.0.1:0",
    socket: { deferAccept: 0 },
    context: undefined,
    handler,
  });
  ends.push({ [Symbol.asyncDispose]: () => server.halt() });
  return new FakeServer(name, server.address.kind === "tcp" ? server.address.port : 0);
}
export const echo = (name: string): FakeServer =>
  backend(name, async (connection) => {
    for await (const bytes of connection) await connection.write(bytes);
  });
/** Says `text`, whatever it hears, and ends. */
export const sayer = (text: string): FakeServer =>
  backend(text, async (connection) => {
    await connection.readSome();
    await connection.write(new TextEncoder().encode(text));
  });

/** A TLS server that says who it was asked to be, then `text`. */
export async function tlsBackend(text: string, options: object): Promise<FakeServer> {
  const server = createServer(options, (socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      const { alpnProtocol } = socket;
      const shown = socket.getPeerCertificate()?.subject?.CN ?? "nobody";
      const { servername } = socket as TLSSocket & { servername?: string };
      socket.end(`${text} ${servername || "-"} ${alpnProtocol || "-"} ${shown}`);
    });
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push({ [Symbol.dispose]: () => void server.close() });
  const at = server.address();
  return new FakeServer(text, at !== null && typeof at === "object" ? at.port : 0);
}

/** A TLS client: everything it heard, and how it ended. */
export class Client {
  heard = "";
  ended = false;
  failed: string | undefined;
  closed = false;
  readonly socket: TLSSocket;

  constructor(port: number, options: ConnectionOptions = {}) {
    this.socket = connect({
      host: "127.0.0.1",
      port,
      ca: ca.cert,
      servername: "a.example",
      // The types forgot it; net.connect's options are taken too.
      ...({ allowHalfOpen: true } as object),
      ...options,
    });
    this.socket.on("data", (bytes: Buffer) => (this.heard += bytes.toString("latin1")));
    this.socket.on("end", () => (this.ended = true));
    this.socket.on("error", (e: NodeJS.ErrnoException) => (this.failed = e.code ?? e.message));
    this.socket.on("close", () => (this.closed = true));
    ends.push({ [Symbol.dispose]: () => void this.socket.destroy() });
  }

  async over(): Promise<void> {
    await until(() => this.ended || this.failed !== undefined || this.closed);
    this.socket.end();
  }
}

export async function ask(port: number, options: ConnectionOptions = {}): Promise<string> {
  const client = new Client(port, options);
  client.socket.write("?");
  await client.over();
  return client.failed ?? client.heard;
}

export async function run(...command: string[]): Promise<string> {
  const child = Bun.spawn(["timeout", "10", ...command], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await child.exited;
  return out + err;
}
