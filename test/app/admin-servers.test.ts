import { expect, test } from "bun:test";
import { lstatSync, statSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";

import type { Caller } from "../../src/admin/deps.ts";
import { AdminServers } from "../../src/app/admin-servers.ts";
import { type Address, showAddress } from "../../src/core/address.ts";
import { CertificateStore } from "../../src/net/tls/store.ts";
import { certificate } from "../fake/certificate.ts";
import { temporary } from "../fake/temporary.ts";

const local = (port: number): Address => ({ kind: "tcp", host: "127.0.0.1", port });

/** Says who asks. */
const whoami = (_request: Request, { listener, client, secure }: Caller): Response =>
  Response.json({ listener: showAddress(listener), client, secure });

const portOf = (servers: AdminServers): number => {
  const [at] = servers.listeners.filter((l) => l.kind === "tcp");
  return at?.kind === "tcp" ? at.port : 0;
};

const say = async (where: string, unix?: string): Promise<unknown> =>
  (await fetch(where, { ...(unix !== undefined && { unix }) })).json();

test("it answers on a port and on a socket that only its owner can open", async () => {
  await using dir = await temporary();
  const socket = join(dir.path, "t.sock");
  const servers = new AdminServers(whoami);
  await (await servers.prepare({ listen: [local(0)], socket, tls: false })).commit();
  expect((statSync(socket).mode & 0o777).toString(8)).toBe("600");
  expect(await say("http://x/", socket)).toMatchObject({ listener: `unix:${socket}`, client: "" });
  const client = "127.0.0.1";
  expect(await say(`http://127.0.0.1:${portOf(servers)}/`)).toMatchObject({ client });
  await servers.close("gently");
  expect(lstatSync(socket, { throwIfNoEntry: false })).toBeUndefined();
});

test("a taken port is an error, and nothing new stays open", async () => {
  await using dir = await temporary();
  using other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const socket = join(dir.path, "t.sock");
  const servers = new AdminServers(whoami);
  const taken = { listen: [local(other.port ?? 0)], socket, tls: false };
  expect(servers.prepare(taken)).rejects.toThrow("admin: cannot listen on");
  expect(servers.listeners).toEqual([]);
});

test("what a new config keeps is not interrupted, what it drops ends when it is in force", async () => {
  await using dir = await temporary();
  const socket = join(dir.path, "t.sock");
  const servers = new AdminServers(whoami);
  const zero = local(0);
  await (await servers.prepare({ listen: [zero], socket, tls: false })).commit();
  const port = portOf(servers);
  const next = await servers.prepare({ listen: [], socket, tls: false });
  expect(await say(`http://127.0.0.1:${port}/`)).toBeDefined();
  await next.commit();
  expect(fetch(`http://127.0.0.1:${port}/`, { keepalive: false })).rejects.toThrow();
  expect(await say("http://x/", socket)).toBeDefined();
  await servers.close("at once");
});

test("an upgrade: the next takes the name over, and the one before leaves it alone", async () => {
  await using dir = await temporary();
  const socket = join(dir.path, "t.sock");
  const old = new AdminServers(whoami);
  await (await old.prepare({ listen: [local(0)], socket, tls: false })).commit();
  const port = portOf(old);
  const next = new AdminServers(() => new Response('"next"'));
  await (await next.prepare({ listen: [local(port)], socket, tls: false }, true)).commit();
  await old.close("gently");
  expect(await say("http://x/", socket)).toBe("next");
  expect(await say(`http://127.0.0.1:${port}/`)).toBe("next");
  await next.close("at once");
});

/** The names of whoever answers there over TLS. */
async function namesAt(port: number): Promise<string> {
  const client = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  await new Promise((resolve) => client.once("secureConnect", resolve));
  const { subjectaltname = "" } = client.getPeerCertificate();
  client.destroy();
  return subjectaltname;
}

test("TLS: begun with the certificates of the config, and gone on without", async () => {
  await using dir = await temporary();
  const config = { listen: [local(0)], socket: join(dir.path, "t.sock"), tls: true };
  const store = new CertificateStore();
  store.change({ certificates: [{ ...(await certificate({ names: ["a.example"] })), names: [] }] });
  const servers = new AdminServers(whoami, store);
  await (await servers.prepare(config)).commit();
  const port = portOf(servers);
  expect(await namesAt(port)).toBe("DNS:a.example");
  const next = await servers.prepare(config);
  store.change({ certificates: [] }); // as a reload does: when nothing may fail any more
  servers.renew();
  await next.commit();
  expect(await namesAt(port)).toBe("DNS:localhost");
  await servers.close("at once");
});

test("TLS: with the certificate of the config once there is one, and off again", async () => {
  await using dir = await temporary();
  const socket = join(dir.path, "t.sock");
  const store = new CertificateStore();
  const servers = new AdminServers(whoami, store);
  await (await servers.prepare({ listen: [local(0)], socket, tls: true })).commit();
  const port = portOf(servers);
  const names = (): Promise<string> => namesAt(port);
  expect(await names()).toBe("DNS:localhost");
  servers.renew();
  expect(portOf(servers)).toBe(port);
  store.change({ certificates: [{ ...(await certificate({ names: ["a.example"] })), names: [] }] });
  servers.renew();
  expect(portOf(servers)).toBe(port);
  expect(await names()).toBe("DNS:a.example");
  const url = `127.0.0.1:${port}/`;
  const tls = { rejectUnauthorized: false };
  expect(await (await fetch(`https://${url}`, { tls })).json()).toHaveProperty("secure", true);

  await (await servers.prepare({ listen: [local(port)], socket, tls: false })).commit();
  expect(await say(`http://${url}`)).toHaveProperty("secure", false);
  await servers.close("at once");
});

test("a listener is dropped by a request that came in on it, and that request is answered", async () => {
  await using dir = await temporary();
  const socket = join(dir.path, "t.sock");
  let streams = 0;
  const servers = new AdminServers(async (request, { closing }) => {
    if (request.url.endsWith("/drop")) {
      await (await servers.prepare({ listen: [], socket, tls: false })).commit();
      return new Response("dropped");
    }
    streams++;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(Buffer.from("begun"));
        closing?.addEventListener("abort", () => controller.close());
      },
    });
    return new Response(body);
  });
  await (await servers.prepare({ listen: [local(0)], socket, tls: false })).commit();
  const port = portOf(servers);
  const endless = await fetch(`http://127.0.0.1:${port}/`);
  const answer = await fetch(`http://127.0.0.1:${port}/drop`);
  expect(await answer.text()).toBe("dropped");
  expect(await endless.text()).toBe("begun"); // and what goes on for ever has ended
  expect(streams).toBe(1);
  expect(fetch(`http://127.0.0.1:${port}/`, { keepalive: false })).rejects.toThrow();
  await servers.close("at once");
});
