import { afterEach, expect, test } from "bun:test";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { networkInterfaces } from "node:os";

import { until } from "../../../e2e/from-source.ts";
import { FakePool, FakeServer } from "../../../fake/pools.ts";
import { freePort } from "../../../fake/ports.ts";
import { temporary } from "../../../fake/temporary.ts";
import { needs } from "../../../sys/needs.ts";
import { service } from "../balancing.ts";
import { balancing, endAll, ends, run } from "../tls/peers.ts";

afterEach(endAll);

/** A server that answers each datagram with its name and what it was sent. */
async function backend(name: string, times = 1): Promise<FakeServer & { heard: string[] }> {
  const heard: string[] = [];
  const socket = await bound("127.0.0.1", (bytes, from) => {
    heard.push(bytes.toString());
    for (let i = 0; i < times; i++)
      socket.send(`${name}:${bytes.toString()}`, from.port, from.address);
  });
  return Object.assign(new FakeServer(name, socket.address().port), { heard });
}

async function bound(
  host: string,
  message: (bytes: Buffer, from: RemoteInfo) => void,
): Promise<Socket> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4", message);
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  let open = true;
  socket.on("close", () => (open = false));
  ends.push({ [Symbol.dispose]: () => void (open && socket.close()) });
  return socket;
}

/** A client: what it heard, and from where. */
async function client(host = "127.0.0.1"): Promise<{
  say(text: string, port: number, to?: string): void;
  heard: string[];
  from: string[];
}> {
  const heard: string[] = [];
  const from: string[] = [];
  const socket = await bound(host, (bytes, sender) => {
    heard.push(bytes.toString());
    from.push(`${sender.address} ${sender.port}`);
  });
  return { say: (text, port, to = host) => socket.send(text, port, to), heard, from };
}

const udp = (pool: string, keys: object = {}): object =>
  service(pool, { protocol: "udp", ...keys });
const portOf = (listen = ""): number => Number(listen.split(":").at(-1));

test("a client keeps its server, and hears from the address it wrote to", async () => {
  const a = await backend("a");
  const tern = await balancing({ web: udp("app") }, new FakePool("app", [a]));
  const port = tern.port();
  const one = await client();
  const two = await client();
  one.say("1", port);
  two.say("2", port);
  one.say("3", port);
  await until(() => one.heard.length === 2 && two.heard.length === 1);
  expect([one.heard, two.heard]).toEqual([["a:1", "a:3"], ["a:2"]]);
  expect(one.from[0]).toBe(`127.0.0.1 ${port}`);
  expect(tern.stats["web"]).toMatchObject({ open: 2, accepted: 2, up_bytes: 3, down_bytes: 9 });
  expect(a.open).toBe(2);
});

test("whoever is refused comes to the next server, with what it had said", async () => {
  const nobody = new FakeServer("nobody", await freePort());
  const good = await backend("good");
  const tern = await balancing({ web: udp("app") }, new FakePool("app", [nobody, good]));
  const one = await client();
  one.say("hello", tern.port());
  await until(() => one.heard.length === 1);
  expect(one.heard).toEqual(["good:hello"]);
  expect(nobody.diary).toEqual(["connecting", "failed: refused"]);
  expect([nobody.open, good.open]).toEqual([0, 1]);
});

test("a server that goes away is left at the next datagram but one", async () => {
  const socket = await bound("127.0.0.1", (bytes, from) =>
    socket.send(`first:${bytes.toString()}`, from.port, from.address),
  );
  const first = new FakeServer("first", socket.address().port);
  const second = await backend("second");
  const tern = await balancing({ web: udp("app") }, new FakePool("app", [first, second]));
  const one = await client();
  one.say("1", tern.port());
  await until(() => one.heard.includes("first:1"));
  await new Promise<void>((resolve) => socket.close(resolve));
  for (let i = 2; i < 20 && !one.heard.some((text) => text.startsWith("second")); i++) {
    one.say(String(i), tern.port());
    await Bun.sleep(20);
  }
  expect(one.heard.at(-1)).toStartWith("second:");
  expect(first.open).toBe(0);
});

test("nobody alive: nothing is heard, it is counted, and the next try may do better", async () => {
  const a = await backend("a");
  a.eligible = false;
  const tern = await balancing({ web: udp("app") }, new FakePool("app", [a]));
  const one = await client();
  one.say("1", tern.port());
  await until(() => tern.stats["web"]?.failed === 1);
  a.eligible = true;
  one.say("2", tern.port());
  await until(() => one.heard.length === 1);
  expect(tern.stats["web"]).toMatchObject({ open: 1, failed: 1 });
});

test("with replies: 1 a session is over when it is answered", async () => {
  const a = await backend("a");
  const tern = await balancing(
    { web: udp("app", { udp: { replies: 1 } }) },
    new FakePool("app", [a]),
  );
  const one = await client();
  one.say("1", tern.port());
  await until(() => one.heard.length === 1);
  expect(tern.stats["web"]).toMatchObject({ open: 0, accepted: 1 });
  expect(a.open).toBe(0);
});

test("with replies: 1 a server that never answers is left after connect_timeout", async () => {
  const hole = await bound("127.0.0.1", () => {});
  const deaf = new FakeServer("deaf", hole.address().port);
  const good = await backend("good");
  const tern = await balancing(
    { web: udp("app", { udp: { replies: 1 }, connect_timeout: "100ms" }) },
    new FakePool("app", [deaf, good]),
  );
  const one = await client();
  one.say("1", tern.port());
  await Bun.sleep(150);
  one.say("again", tern.port());
  await until(() => one.heard.length === 1);
  expect(one.heard).toEqual(["good:again"]);
  expect(deaf.diary).toEqual(["connecting", "failed: timeout"]);
});

test("idle sessions end; one too many ends the one unheard of for longest", async () => {
  const a = await backend("a");
  const tern = await balancing(
    { web: udp("app", { udp: { idle: "700ms", sessions: 2 } }) },
    new FakePool("app", [a]),
  );
  const clients = [await client(), await client(), await client()];
  for (const one of clients) {
    one.say("x", tern.port());
    await until(() => one.heard.length === 1);
  }
  expect(tern.stats["web"]).toMatchObject({ open: 2, accepted: 3 });
  await until(() => tern.stats["web"]?.open === 0);
  expect(a.open).toBe(0);
});

test("access lists and limits of one client", async () => {
  const a = await backend("a");
  const tern = await balancing(
    { web: udp("app", { limit: { connections: 1 } }) },
    new FakePool("app", [a]),
  );
  const [one, two] = [await client(), await client()];
  one.say("1", tern.port());
  await until(() => one.heard.length === 1);
  two.say("2", tern.port());
  await until(() => tern.stats["web"]?.refused === 1);
  await tern.use({ web: udp("app", { deny: ["127.0.0.0/8"] }) });
  two.say("3", tern.port());
  await until(() => tern.stats["web"]?.rejected_by_access === 1);
  expect(two.heard).toEqual([]);
});

test("sessions live through a reload, which only new clients notice", async () => {
  const [a, b] = [await backend("a"), await backend("b")];
  const pools = [new FakePool("app", [a]), new FakePool("next", [b])];
  const tern = await balancing({ web: udp("app") }, ...pools);
  const port = tern.port();
  const one = await client();
  one.say("1", port);
  await until(() => one.heard.length === 1);
  await tern.use({ web: udp("next") });
  const two = await client();
  one.say("2", port);
  two.say("3", port);
  await until(() => one.heard.length === 2 && two.heard.length === 1);
  expect([one.heard[1], two.heard[0], tern.port()]).toEqual(["a:2", "b:3", port]);
});

test("sessions are listed, and killed by number", async () => {
  const a = await backend("a");
  const tern = await balancing({ web: udp("app") }, new FakePool("app", [a]));
  const one = await client();
  one.say("1", tern.port());
  await until(() => one.heard.length === 1);
  const { sessions } = (await tern.action("sessions", {})) as { sessions: { id: number }[] };
  expect(sessions).toMatchObject([{ service: "web", pool: "app", server: "a", up: 1, down: 3 }]);
  await tern.action("kill", { service: "web", id: sessions[0]?.id });
  expect([tern.stats["web"]?.open, a.open]).toEqual([0, 0]);
});

test("datagrams of any size, several answers each, many clients at once", async () => {
  const a = await backend("a", 3);
  const tern = await balancing({ web: udp("app") }, new FakePool("app", [a]));
  const port = tern.port();
  const big = await client();
  const text = "x".repeat(60_000);
  big.say(text, port);
  big.say("", port);
  await until(() => big.heard.length === 6);
  expect(new Set(big.heard)).toEqual(new Set([`a:${text}`, "a:"]));
  const many = await Promise.all(Array.from({ length: 60 }, () => client()));
  for (let i = 0; i < 10; i++) for (const [n, one] of many.entries()) one.say(`${n} ${i}`, port);
  await until(() => many.every((one) => one.heard.length === 30));
  for (const [n, one] of many.entries())
    expect(one.heard.every((text) => text.startsWith(`a:${n} `))).toBe(true);
});

const own = Object.values(networkInterfaces())
  .flat()
  .find((i) => i?.family === "IPv4" && !i.internal)?.address;
needs(own !== undefined, "an address besides loopback")(
  "a listener on every address answers from the one that was written to, IPv6 too",
  async () => {
    const a = await backend("a");
    const tern = await balancing({ web: udp("app", { listen: ":0" }) }, new FakePool("app", [a]));
    const port = portOf(tern.stats["web"]?.listen);
    const one = await client("0.0.0.0");
    one.say("1", port, "127.0.0.1");
    one.say("2", port, own);
    const six = await client("::1");
    six.say("3", port);
    await until(() => one.heard.length === 2 && six.heard.length === 1);
    expect(one.from.toSorted()).toEqual([`127.0.0.1 ${port}`, `${own} ${port}`].toSorted());
    expect(six.from).toEqual([`::1 ${port}`]);
    expect(tern.stats["web"]?.open).toBe(3);
  },
);

needs(Bun.which("socat") !== null, "socat")("socat on both sides", async () => {
  const port = await freePort();
  const child = Bun.spawn(["socat", `UDP-RECVFROM:${port},bind=127.0.0.1,fork`, "EXEC:cat"]);
  ends.push({ [Symbol.dispose]: () => child.kill() });
  await Bun.sleep(200);
  const tern = await balancing(
    { web: udp("app") },
    new FakePool("app", [new FakeServer("socat", port)]),
  );
  const said = await run(
    "sh",
    "-c",
    `echo through socat | socat -t 1 - UDP:127.0.0.1:${tern.port()}`,
  );
  expect(said).toBe("through socat\n");
});

needs(Bun.which("nsd") !== null && Bun.which("dig") !== null, "nsd and dig")(
  "dig asks NSD through it",
  async () => {
    const dir = await temporary();
    ends.push(dir);
    const port = await freePort();
    await Bun.write(
      `${dir.path}/zone`,
      "$TTL 60\n@ SOA ns hostmaster 1 60 60 60 60\n NS ns\nns A 192.0.2.1\nwww A 192.0.2.80\n",
    );
    await Bun.write(
      `${dir.path}/nsd.conf`,
      `server:
  ip-address: 127.0.0.1@${port}
  username: ""
  zonesdir: ${dir.path}
  database: ""
  pidfile: ${dir.path}/pid
  xfrdfile: ${dir.path}/xfrd
  zonelistfile: ${dir.path}/zones
remote-control:
  control-enable: no
zone:
  name: example.net
  zonefile: zone
`,
    );
    const child = Bun.spawn(["nsd", "-d", "-c", `${dir.path}/nsd.conf`], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    ends.push({
      async [Symbol.asyncDispose]() {
        child.kill();
        await child.exited;
      },
    });
    const nsd = new FakeServer("nsd", port);
    const tern = await balancing(
      { web: udp("app", { udp: { replies: 1 } }) },
      new FakePool("app", [nsd]),
    );
    const dig = (): Promise<string> =>
      run("dig", "@127.0.0.1", "-p", String(tern.port()), "+short", "+time=1", "www.example.net");
    let said = "";
    for (let i = 0; i < 5 && said !== "192.0.2.80\n"; i++) said = await dig();
    expect(said).toBe("192.0.2.80\n");
    await until(() => tern.stats["web"]?.open === 0);
  },
  15_000,
);
