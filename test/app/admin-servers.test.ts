import { expect, test } from "bun:test";
import { lstatSync, statSync } from "node:fs";
import { join } from "node:path";

import type { Caller } from "../../src/admin/deps.ts";
import { AdminServers } from "../../src/app/admin-servers.ts";
import { type Address, showAddress } from "../../src/core/address.ts";
import { temporary } from "../fake/temporary.ts";

const local = (port: number): Address => ({ kind: "tcp", host: "127.0.0.1", port });

/** Says who asks. */
const whoami = (_request: Request, { listener, client }: Caller): Response =>
  Response.json({ listener: showAddress(listener), client });

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
  await servers.prepare({ listen: [local(0)], socket }).commit();
  expect((statSync(socket).mode & 0o777).toString(8)).toBe("600");
  expect(await say("http://x/", socket)).toEqual({ listener: `unix:${socket}`, client: "" });
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
  expect(() => servers.prepare({ listen: [local(other.port ?? 0)], socket })).toThrow(
    "admin: cannot listen on",
  );
  expect(servers.listeners).toEqual([]);
});

test("what a new config keeps is not interrupted, what it drops ends when it is in force", async () => {
  await using dir = await temporary();
  const socket = join(dir.path, "t.sock");
  const servers = new AdminServers(whoami);
  const zero = local(0);
  await servers.prepare({ listen: [zero], socket }).commit();
  const port = portOf(servers);
  const next = servers.prepare({ listen: [], socket });
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
  await old.prepare({ listen: [local(0)], socket }).commit();
  const port = portOf(old);
  const next = new AdminServers(() => new Response('"next"'));
  await next.prepare({ listen: [local(port)], socket }, true).commit();
  await old.close("gently");
  expect(await say("http://x/", socket)).toBe("next");
  expect(await say(`http://127.0.0.1:${port}/`)).toBe("next");
  await next.close("at once");
});
