import { certificate } from "./certificate.ts";
import { accepts, freePort } from "./ports.ts";
import { temporary } from "./temporary.ts";

/** Debian's ACME server, which takes every name for 127.0.0.1. */
export interface Pebble extends AsyncDisposable {
  readonly directory: string;
  /** Path of the root that its own HTTPS is trusted by. */
  readonly ca: string;
  /** What it speaks TLS with. */
  readonly tls: { readonly cert: string; readonly key: string };
  /** Where it looks for http-01 and tls-alpn-01 answers. */
  readonly httpPort: number;
  readonly tlsPort: number;
  /** PEM root of what it issues. */
  root(): Promise<string>;
  /** What it has written so far. */
  log(): string;
}

export const havePebble = Bun.which("pebble") !== null && Bun.which("pebble-challtestsrv") !== null;

/** `asks`: the port of the name server on this machine that it asks instead of its own. */
export async function pebble({ asks }: { asks?: number } = {}): Promise<Pebble> {
  const dir = await temporary();
  const [port, management, httpPort, tlsPort, dns, dnsManagement] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const authority = await certificate({ common: "tern test CA", authority: true });
  const own = await certificate({ names: ["localhost", "127.0.0.1"], issuer: authority });
  const at = (name: string): string => `${dir.path}/${name}`;
  await Bun.write(at("ca.pem"), authority.cert);
  await Bun.write(at("own.pem"), own.cert);
  await Bun.write(at("own.key"), own.key);
  await Bun.write(
    at("pebble.json"),
    JSON.stringify({
      pebble: {
        listenAddress: `127.0.0.1:${port}`,
        managementListenAddress: `127.0.0.1:${management}`,
        certificate: at("own.pem"),
        privateKey: at("own.key"),
        httpPort,
        tlsPort,
      },
    }),
  );

  const names = Bun.spawn(
    [
      "pebble-challtestsrv",
      "-dns01",
      `127.0.0.1:${dns}`,
      "-management",
      `127.0.0.1:${dnsManagement}`,
      "-http01",
      "",
      "-https01",
      "",
      "-tlsalpn01",
      "",
      "-defaultIPv6",
      "",
    ],
    { stdio: ["ignore", "ignore", "ignore"] },
  );
  const server = Bun.spawn(
    ["pebble", "-config", at("pebble.json"), "-dnsserver", `127.0.0.1:${asks ?? dns}`],
    { env: { PEBBLE_VA_NOSLEEP: "1" }, stdio: ["ignore", "pipe", "pipe"] },
  );
  let written = "";
  const follow = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    for await (const chunk of stream) written += new TextDecoder().decode(chunk);
  };
  void follow(server.stdout);
  void follow(server.stderr);
  await Promise.all([listening(port), listening(dnsManagement)]);

  return {
    directory: `https://127.0.0.1:${port}/dir`,
    ca: at("ca.pem"),
    tls: own,
    httpPort,
    tlsPort,
    root: async () =>
      (
        await fetch(`https://127.0.0.1:${management}/roots/0`, { tls: { ca: authority.cert } })
      ).text(),
    log: () => written,
    [Symbol.asyncDispose]: async () => {
      for (const child of [server, names]) child.kill("SIGKILL");
      await Promise.all([server.exited, names.exited]);
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** Wait until something listens there; gives up after ten seconds. */
async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await accepts(port)) return;
    await Bun.sleep(50);
  }
  throw new Error(`nothing listens on ${port}`);
}
