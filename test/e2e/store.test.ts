import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { appliance, until } from "./from-source.ts";
import { BASE, cluster, equal, filesOf, get, put, random } from "./store-cluster.ts";

setDefaultTimeout(60_000);

const MiB = 2 ** 20;

test.each([{ workers: 1 }, { workers: 2 }])(
  "files go to nginx, Apache, tern and a disk, and come back, by $workers workers",
  async ({ workers }) => {
    await using it = await cluster(["nginx", "apache", "tern"], { workers });
    const { url } = it;
    const large = random(20 * MiB + 5);
    expect(await put(`${url}/${BASE}/a/b/small ü.txt`, new TextEncoder().encode("hi"))).toBe(201);
    expect(await put(`${url}/${BASE}/large`, large)).toBe(201);
    expect(await put(`${url}/empty`, new Uint8Array())).toBe(201);
    expect(String(await get(`${url}/${BASE}/a/b/small%20%C3%BC.txt`))).toBe("hi");
    expect(((await get(`${url}/large`)) as Buffer).equals(large)).toBe(true);
    // Two of them have acknowledged it; who was late has it a moment later.
    for (const root of it.roots) {
      const copy = join(root, BASE, "large");
      await until(() => existsSync(copy), 10_000);
      expect(readFileSync(copy).equals(large)).toBe(true);
    }
    const part = await fetch(`${url}/large`, { headers: { range: "bytes=1048570-3145730" } });
    expect(part.status).toBe(206);
    const bytes = Buffer.from(await part.arrayBuffer());
    expect(bytes.equals(large.subarray(1_048_570, 3_145_731))).toBe(true);

    const head = await fetch(`${url}/large`, { method: "HEAD" });
    const etag = head.headers.get("etag") ?? "";
    const conditional = (headers: Record<string, string>, method = "PUT") =>
      fetch(`${url}/large`, { method, headers, ...(method === "PUT" && { body: "new" }) });
    expect((await conditional({ "if-none-match": "*" })).status).toBe(412);
    expect((await conditional({ "if-none-match": etag }, "GET")).status).toBe(304);
    expect((await conditional({ "if-match": etag })).status).toBe(204);
    expect((await conditional({ "if-match": etag })).status).toBe(412);
    expect((await conditional({ "if-match": etag }, "DELETE")).status).toBe(412);
    expect(String(await get(`${url}/large`))).toBe("new");
    expect((await conditional({}, "DELETE")).status).toBe(204);
    expect(await get(`${url}/large`)).toBe(404);
    await equal(it);
  },
);

test.each(["nginx", "apache", "tern"] as const)(
  "%s is killed in the middle of a PUT, and stays away: the others keep it, and it has it when it is back",
  async (kind) => {
    await using it = await cluster([kind, "nginx"]);
    const [victim] = it.servers;
    const body = random(8 * MiB);
    let sent = 0;
    const slow = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (sent === 2 * MiB) await victim?.kill();
        if (sent === body.length) return controller.close();
        controller.enqueue(body.slice(sent, sent + 65_536));
        sent += 65_536;
      },
    });
    const { status } = await fetch(`${it.url}/a`, { method: "PUT", body: slow });
    expect(status).toBe(201);
    expect(((await get(`${it.url}/a`)) as Buffer).equals(Buffer.from(body))).toBe(true);
    expect(await put(`${it.url}/b`, random(1000))).toBe(201);
    expect((await fetch(`${it.url}/b`, { method: "DELETE" })).status).toBe(204);
    await victim?.start();
    await equal(it);
  },
);

test("a member that is stopped holds nobody up for longer than a stall", async () => {
  await using it = await cluster(["nginx", "nginx"]);
  const body = random(3 * MiB);
  expect(await put(`${it.url}/before`, body)).toBe(201);
  it.servers[0]?.signal("SIGSTOP");
  const began = performance.now();
  for (let i = 0; i < 4; i++) {
    expect(await put(`${it.url}/a${i}`, body)).toBe(201);
    expect(((await get(`${it.url}/a${i}`)) as Buffer).equals(Buffer.from(body))).toBe(true);
    expect(((await get(`${it.url}/before`)) as Buffer).length).toBe(body.length);
  }
  // One stall for each step that met it before it was known to be away, and none afterwards.
  expect(performance.now() - began).toBeLessThan(14_000);
  it.servers[0]?.signal("SIGCONT");
  await equal(it);
});

test("too few members: 503, nothing of it stays, and it listens on", async () => {
  await using it = await cluster(["nginx", "nginx"]);
  for (const server of it.servers) await server.kill();
  expect(await put(`${it.url}/a`, random(100_000))).toBe(503);
  expect(await get(`${it.url}/a`)).toBe(503);
  for (const server of it.servers) await server.start();
  await until(async () => (await get(`${it.url}/a`)) === 404);
  const left = join(it.roots[2] ?? "", `${BASE}.new`);
  expect(existsSync(left) ? readdirSync(left) : []).toEqual([]);
  await until(async () => (await put(`${it.url}/a`, random(100_000))) === 201);
  await equal(it);
});

test("the second copy is answered 500: it is not counted", async () => {
  await using it = await cluster(["nginx", "nginx"]);
  const bad = Bun.serve({ port: 0, fetch: () => new Response("no", { status: 500 }) });
  await using other = await appliance((own) => ({
    workers: 1,
    state: join(own, "var"),
    admin: { listen: [] },
    store: {
      files: {
        listen: "127.0.0.1:0",
        free_floor: "0%",
        stages: {
          0: {
            redundancy: 2,
            write_quorum: 2,
            members: [
              { id: "good", webdav: it.servers[0]?.url },
              { id: "bad", webdav: `http://127.0.0.1:${bad.port}` },
            ],
          },
        },
      },
    },
  }));
  expect(await put(`http://127.0.0.1:${other.port}/a`, random(1000))).toBe(503);
  expect(filesOf(it.roots[0] ?? "")).toEqual({});
  await bad.stop(true);
});

test("the router is killed in the middle of PUTs: what it has acknowledged is there, all else whole or not", async () => {
  await using it = await cluster(["nginx", "tern"]);
  const { tern, url } = it;
  const contents = new Map<string, Buffer>();
  const acknowledged = new Set<string>();
  const write = async (i: number): Promise<void> => {
    const path = `f${i % 12}`;
    const body = random(200_000 + i * 1000);
    const had = contents.get(path);
    contents.set(path, Buffer.from(body));
    try {
      const status = await put(`${url}/${path}`, body);
      if (status < 300) acknowledged.add(path);
      else if (had) contents.set(path, had);
    } catch {
      open.set(path, [had, Buffer.from(body)]);
    }
  };
  const open = new Map<string, [Buffer | undefined, Buffer]>();
  for (let i = 0; i < 12; i++) await write(i);
  const storm = Promise.all(Array.from({ length: 12 }, (_, i) => write(12 + i)));
  await Bun.sleep(60);
  tern.kill("SIGKILL");
  await tern.exited;
  await storm;
  expect(open.size).toBeGreaterThan(0);

  await using again = await appliance(() => readFileSync(join(tern.dir, "tern.yaml"), "utf8"));
  const next = `http://127.0.0.1:${again.port}`;
  for (const [path, body] of contents) {
    const got = await get(`${next}/${path}`);
    const allowed = open.get(path) ?? [body];
    if (typeof got === "number") throw new Error(`${path}: ${got}`);
    expect(allowed.some((one) => one?.equals(got))).toBe(true);
  }
  await equal(it);
});

test("a flipped bit is never sent, and a disk that has lost all is filled again by reading", async () => {
  await using it = await cluster(["nginx", "nginx"]);
  const body = Buffer.from(random(3 * MiB));
  for (let i = 0; i < 5; i++) expect(await put(`${it.url}/f${i}`, body)).toBe(201);
  for (const root of it.roots.slice(0, 2)) {
    const path = join(root, BASE, "f0");
    const bytes = readFileSync(path);
    bytes[2 * MiB + 9] = (bytes[2 * MiB + 9] ?? 0) ^ 4;
    writeFileSync(path, bytes);
  }
  const wiped = it.roots[2] ?? "";
  for (const name of readdirSync(wiped))
    if (name !== "_tern.member") rmSync(join(wiped, name), { recursive: true });
  for (let round = 0; round < 3; round++)
    for (let i = 1; i < 5; i++)
      expect(((await get(`${it.url}/f${i}`)) as Buffer).equals(body)).toBe(true);
  // Two are damaged and one is gone: nobody has it any more, and nobody is sent what is wrong.
  const response = await fetch(`${it.url}/f0`);
  expect(response.status).toBe(200);
  expect(response.arrayBuffer()).rejects.toThrow();
});
