/** A pythondirector's config imported, run, and managed by its own web API, with curl. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { createServer, type Server } from "node:net";
import { join } from "node:path";

import { certificate } from "../fake/certificate.ts";
import { freePort } from "../fake/ports.ts";
import { temporary } from "../fake/temporary.ts";
import { said } from "./binary.ts";
import { type Appliance, appliance, TERN, until } from "./from-source.ts";

setDefaultTimeout(60_000); // whole programs, on a machine that may be busy

/** Both are the word "secret": made by perl's crypt() and by openssl passwd -1. */
const DES = "iya2/im3qjwhU";
const MD5 = "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1";

const servers: Server[] = [];
afterAll(() => servers.forEach((server) => server.close()));

/** A server that says its name to whoever comes, and hangs up. */
async function backend(name: string, port = 0): Promise<{ port: number; down(): void }> {
  const server = createServer((socket) => socket.on("error", () => {}).end(name));
  servers.push(server);
  await new Promise<void>((ready) => server.listen(port, "127.0.0.1", ready));
  const at = server.address();
  return {
    port: typeof at === "object" && at !== null ? at.port : 0,
    down: () => void server.close(),
  };
}

/** What is heard from the balancer; "" when it hangs up without a word. */
async function heard(port: number): Promise<string> {
  let text = "";
  const over = Promise.withResolvers<string>();
  await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_, bytes) => void (text += bytes.toString()),
      close: () => over.resolve(text),
      error: () => over.resolve("error"),
    },
  });
  return over.promise;
}

/** Ports of one director, and its backends. */
async function setUp() {
  const [admin, web] = [await freePort(), await freePort()];
  const [one, two, five] = await Promise.all(["one", "two", "five"].map((name) => backend(name)));
  if (!one || !two || !five) throw new Error("three were started");
  const xml = `<?xml version="1.0"?>
<pdconfig>
    <!-- as it ran for years -->
    <service name="web">
        <listen ip="127.0.0.1:${web}" />
        <group name="main" scheduler="roundrobin">
            <host name="one" ip="127.0.0.1:${one.port}" />
            <host name="two" ip="127.0.0.1:${two.port}" />
        </group>
        <group name="next" scheduler="leastconns">
            <host name="five" ip="127.0.0.1:${five.port}" />
        </group>
        <enable group="main" />
    </service>
    <admin listen="127.0.0.1:${admin}">
        <user name="root" password="${DES}" access="full"/>
        <user name="guest" password="${MD5}" access="readonly"/>
    </admin>
    <checktime time="3600"/>
</pdconfig>
`;
  return { admin, web, one, two, five, xml };
}

/** A pythondirector's XML, imported by the program itself, running. */
async function director(xml: string, workers: number): Promise<Appliance> {
  await using dir = await temporary();
  const file = join(dir.path, "pydir.xml");
  await Bun.write(file, xml);
  const imported = await said([...TERN, "import", file]);
  expect([imported.code, imported.err]).toEqual([0, ""]);
  return appliance((home) => `workers: ${workers}\nstate: ${join(home, "var")}\n${imported.out}`);
}

interface Answer {
  readonly status: number;
  readonly body: string;
  /** The message of the page that a redirect leads to. */
  readonly says: string;
}

/** curl as an operator's script has it. */
async function curl(port: number, path: string, user = "root:secret"): Promise<Answer> {
  const url = `http://127.0.0.1:${port}/pydir/${path}`;
  const how = ["-s", "--basic", "-u", user, "-w", "\n%{http_code} %{redirect_url}"];
  const { out } = await said(["curl", ...how, url]);
  const at = out.lastIndexOf("\n");
  const [status = "", location = ""] = out.slice(at + 1).split(" ");
  const says = decodeURIComponent(location.split("resultMessage=")[1] ?? "");
  return { status: Number(status), body: out.slice(0, at), says };
}

/** What so many clients hear, each once, as a set. */
async function voices(port: number, clients = 12): Promise<string[]> {
  const all = await Promise.all(Array.from({ length: clients }, () => heard(port)));
  return [...new Set(all)].toSorted();
}

test.each([1, 2])(
  "%d workers: hosts fail unnoticed, are seen, tried again, taken out and in",
  async (workers) => {
    const { admin, web, one, two, xml } = await setUp();
    await using tern = await director(xml, workers);
    const lines = async (): Promise<string[]> =>
      (await curl(admin, "running.txt")).body.split("\n");
    expect(await voices(web)).toEqual(["one", "two"]);
    expect((await lines())[0]).toBe(`service web 127.0.0.1:${web} main`);
    expect(await lines()).toContain(`host one 127.0.0.1:${one.port} 0 -`);

    one.down();
    expect(await voices(web, 24)).toEqual(["two"]); // nobody saw the failure
    const dead = `disabled one 127.0.0.1:${one.port} conn_refused -`;
    await until(async () => (await lines()).includes(dead));
    const kept = await curl(admin, `delHost?service=web&group=main&ip=127.0.0.1:${two.port}`);
    expect([kept.status, kept.body]).toEqual([302, "OK\n"]);
    expect(kept.says).toContain("<b>not</b> deleted from active group");

    await backend("one", one.port);
    expect(await voices(web)).toEqual(["two"]); // checktime is an hour
    const retried = await curl(admin, "retryHost?service=web&group=main&host=one");
    expect([retried.status, retried.says]).toEqual([302, "host one is tried again"]);
    await until(async () => (await voices(web)).includes("one"));

    expect((await curl(admin, "hostAdminDown?service=web&group=main&name=one")).status).toBe(302);
    expect(await voices(web)).toEqual(["two"]);
    expect(await lines()).toContain(`disabled one 127.0.0.1:${one.port} admin_down -`);
    expect((await curl(admin, "hostAdminUp?service=web&group=main&name=one")).status).toBe(302);
    expect(await voices(web)).toEqual(["one", "two"]);

    expect((await curl(admin, "enableGroup?service=web&group=next")).says).toContain("enabled");
    expect(await voices(web)).toEqual(["five"]);
    const mistaken = await curl(admin, "enableGroup?service=web&group=nxt");
    expect([mistaken.status, mistaken.body]).toEqual([
      400,
      expect.stringContaining("no group nxt"),
    ]);
    expect(await voices(web)).toEqual(["five"]);
    expect(tern.lines.filter(({ level }) => level === "error")).toEqual([]);
  },
);

test("what compare says turns one director into the other; saved, it is there after a restart", async () => {
  const { admin, web, two, five, xml } = await setUp();
  await using tern = await director(xml, 2);
  const [port, other] = [await freePort(), await freePort()];
  const next = xml
    .replace('scheduler="roundrobin"', 'scheduler="leastconnsrr"')
    .replace(/<host name="one"[^>]*>/, `<host name="six" ip="127.0.0.1:${five.port}" />`)
    .replace('<enable group="main" />', '<enable group="next" />')
    .replace(`listen ip="127.0.0.1:${web}"`, `listen ip="127.0.0.1:${port}"`)
    .replace('name="guest"', 'name="visitor"')
    .replace(
      "<admin",
      `<service name="mail"><listen ip="127.0.0.1:${other}"/><group name="all" scheduler="random"><host name="two" ip="127.0.0.1:${two.port}"/></group><enable group="all"/></service>\n    <admin`,
    );
  const [before, after] = [join(tern.dir, "running.xml"), join(tern.dir, "next.xml")];
  await Bun.write(before, (await curl(admin, "running.xml")).body);
  await Bun.write(after, next);
  const compared = await said([...TERN, "import", "--compare", before, after]);
  expect([compared.code, compared.err]).toEqual([0, ""]);
  const commands = compared.out.trim().split("\n");
  expect(commands.length).toBeGreaterThan(8);
  for (const line of commands) {
    const [call, parameters] = JSON.parse(line) as [string, Record<string, string>];
    const { status, body } = await curl(admin, `${call}?${new URLSearchParams(parameters)}`);
    expect([line, status, body]).toEqual([line, 302, "OK\n"]);
  }
  await Bun.write(before, (await curl(admin, "running.xml")).body);
  expect((await said([...TERN, "import", "--compare", before, after])).out).toBe("");
  expect(await voices(port)).toEqual(["five"]);
  expect(await voices(other)).toEqual(["two"]);

  // config.xml is what the file says, until it says what runs.
  expect((await curl(admin, "config.xml")).body).toContain('<enable group="main"/>');
  const saved = await curl(admin, "save");
  expect([saved.status, saved.body]).toEqual([
    200,
    `<p>config saved to ${tern.dir}/tern.yaml</p>\n`,
  ]);
  const running = (await curl(admin, "running.xml")).body;
  expect((await curl(admin, "config.xml")).body).toBe(running);
  expect(await Bun.file(join(tern.dir, "tern.yaml")).text()).toStartWith("workers: 2\n");

  const exported = await tern.verb("export", "--pydir", "--running");
  expect([exported.code, `${exported.out.trimEnd()}\n`]).toEqual([0, running]);
  expect((await curl(admin, "shutdown")).says).toBe("shutting down");
  expect(await tern.exited).toBe(0);
  const file = await tern.verb("export", "--pydir");
  expect([file.code, `${file.out.trimEnd()}\n`]).toEqual([0, running]);
  expect((await tern.verb("check")).out).toContain("good; pools, balance");
});

test("readonly users may look at all of it and change none of it", async () => {
  const { admin, web, xml } = await setUp();
  await using tern = await director(xml, 1);
  const before = await Bun.file(join(tern.dir, "tern.yaml")).text();
  const group = "service=web&group=main";
  for (const call of [
    `addHost?${group}&name=x&ip=127.0.0.1:1`,
    `delHost?${group}&name=one`,
    "delAllHosts?service=web&group=next",
    "enableGroup?service=web&group=next",
    `changeScheduler?${group}&scheduler=random`,
    `addUser?name=x&password=${DES}&access=full`,
    "delUser?name=root",
    "newService?service=x&listen=127.0.0.1:1",
    "newGroup?service=web&group=x&scheduler=random",
    "delGroup?service=web&group=next",
    "delService?service=web",
    "changeListen?service=web&listen=127.0.0.1:1",
    "closeLog",
    `retryHost?${group}&host=one`,
    `hostAdminUp?${group}&name=one`,
    `hostAdminDown?${group}&name=one`,
    "save",
    "shutdown",
  ]) {
    expect([call, (await curl(admin, call, "guest:secret")).status]).toEqual([call, 401]);
  }
  expect((await curl(admin, "running", "guest:wrong")).status).toBe(401);
  for (const page of ["", "running", "running.txt", "running.xml", "config.xml", "pydirector.css"])
    expect((await curl(admin, page, "guest:secret")).status).toBe(200);
  expect((await curl(admin, "running.xml", "guest:secret")).body).not.toContain(DES);
  expect(await voices(web)).toEqual(["one", "two"]);
  expect(await Bun.file(join(tern.dir, "tern.yaml")).text()).toBe(before);
});

test('secure="yes" is TLS, with a certificate of its own until the config has one', async () => {
  const { admin, xml } = await setUp();
  await using tern = await director(xml.replace("<admin ", '<admin secure="yes" '), 1);
  const at = `127.0.0.1:${admin}/pydir/running.xml`;
  const get = (...how: string[]) => said(["curl", "-s", "--basic", "-u", "root:secret", ...how]);
  expect((await get("-k", `https://${at}`)).out).toContain(
    `<admin listen="127.0.0.1:${admin}" secure="yes">`,
  );
  expect((await get(`http://${at}`)).out).not.toContain("pdconfig");

  const text = await Bun.file(join(tern.dir, "tern.yaml")).text();
  const pair = await certificate({ names: ["127.0.0.1"] });
  const [cert, key] = [join(tern.dir, "a.pem"), join(tern.dir, "a.key")];
  await Bun.write(cert, pair.cert);
  await Bun.write(key, pair.key);
  await tern.rewrite(`${text}tls: { certificates: [{ cert: ${cert}, key: ${key} }] }\n`);
  expect(await tern.verb("reload")).toMatchObject({ code: 0 });
  expect((await get("--cacert", cert, `https://${at}`)).out).toContain("<pdconfig>");
});
