import { createServer } from "node:net";

import { stopped } from "./stopped.ts";
import { temporary } from "./temporary.ts";

/** A real etcd of its own, from Debian. */
export interface EtcdServer extends AsyncDisposable {
  readonly url: string;
  /** As a machine that hangs: nothing is answered any more. */
  pause(): Promise<void>;
  resume(): void;
}

/** Started and answering. */
export async function etcdServer(): Promise<EtcdServer> {
  const dir = await temporary();
  const [client, peer] = [
    `http://127.0.0.1:${await freePort()}`,
    `http://127.0.0.1:${await freePort()}`,
  ];
  const child = Bun.spawn(
    [
      "etcd",
      "--data-dir",
      `${dir.path}/data`,
      "--log-level",
      "error",
      "--listen-client-urls",
      client,
      "--advertise-client-urls",
      client,
      "--listen-peer-urls",
      peer,
      "--initial-advertise-peer-urls",
      peer,
      "--initial-cluster",
      `default=${peer}`,
    ],
    { stdout: "ignore", stderr: "ignore" },
  );
  for (let tries = 0; ; tries++) {
    const healthy = await fetch(`${client}/health`).then(
      async (response) => (await response.text()).includes("true"),
      () => false,
    );
    if (healthy) break;
    if (tries > 200) throw new Error("etcd does not start");
    await Bun.sleep(50);
  }
  return {
    url: client,
    pause: () => stopped(child),
    resume: () => child.kill("SIGCONT"),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const listening = Promise.withResolvers<number>();
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    listening.resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
  const port = await listening.promise;
  await new Promise((done) => server.close(done));
  return port;
}
