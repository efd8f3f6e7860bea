import { afterAll, expect, test } from "bun:test";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { reactor } from "../../src/net/reactor-loop.ts";
import { Dialer } from "../../src/net/tcp/dialer.ts";
import { Upstream } from "../../src/net/upstream/upstream.ts";
import { DirMember } from "../../src/services/store/members/dir-member.ts";
import { DIRECT_LIMITS } from "../../src/services/store/members/direct.ts";
import { type Member, MemberError } from "../../src/services/store/members/member.ts";
import { WebdavMember } from "../../src/services/store/members/webdav-member.ts";
import { temporary } from "../fake/temporary.ts";
import { fileServer } from "./store-servers.ts";

const KINDS: Readonly<
  Record<string, (dir: string) => Promise<{ member: Member; root: string } & AsyncDisposable>>
> = {
  dir: async (dir) => {
    const root = join(dir, "root");
    mkdirSync(root);
    return { member: new DirMember("m", root, true), root, async [Symbol.asyncDispose]() {} };
  },
  nginx: (dir) => onServer("nginx", dir),
  apache: (dir) => onServer("apache", dir),
  tern: (dir) => onServer("tern", dir),
  "nginx, directly": (dir) => onServer("nginx", dir, true),
  "apache, directly": (dir) => onServer("apache", dir, true),
  "tern, directly": (dir) => onServer("tern", dir, true),
};

const loop = reactor();
const upstream = new Upstream(loop, new Dialer(loop), DIRECT_LIMITS);
afterAll(() => upstream.close());

/** `direct`: by connections of our own. */
async function onServer(kind: "nginx" | "apache" | "tern", dir: string, direct = false) {
  const server = await fileServer(kind, dir);
  const member = new WebdavMember("m", server.url, direct ? upstream : undefined);
  return {
    member,
    root: server.root,
    [Symbol.asyncDispose]: async () => {
      member.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function keep(member: Member, at: string, pieces: readonly Uint8Array[]): Promise<void> {
  const upload = await member.put("/_3fs_0.new");
  try {
    for (const piece of pieces) await upload.write(piece);
    await upload.finish();
    await upload.place(at);
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

async function readAll(member: Member, at: string, from = 0, to = Infinity) {
  const reading = await member.read(at, from, to);
  if (reading === undefined) return undefined;
  const pieces: Uint8Array[] = [];
  for (let piece; (piece = await reading.next()) !== undefined;) pieces.push(piece);
  reading.close();
  return { size: reading.size, bytes: Buffer.concat(pieces) };
}

for (const [kind, make] of Object.entries(KINDS))
  test(`a member on ${kind} does what members do`, async () => {
    await using dir = await temporary();
    await using one = await make(dir.path);
    const { member, root } = one;
    const piece = crypto.getRandomValues(new Uint8Array(60_000));
    const large = Array.from({ length: 40 }, () => piece);

    expect(await member.facts("/_3fs_0/a/b")).toBeUndefined();
    expect(await readAll(member, "/_3fs_0/a/b")).toBeUndefined();
    for (const [at, pieces] of [
      ["/_3fs_0/empty", []],
      ["/_3fs_0/a/b/small #1 ä%.txt", [piece]],
      ["/_3fs_0/a/large", large],
    ] as const) {
      await keep(member, at, pieces);
      const bytes = Buffer.concat(pieces);
      expect(await member.facts(at)).toMatchObject({ size: bytes.length });
      expect((await readAll(member, at))?.bytes.equals(bytes)).toBe(true);
      const part = await readAll(member, at, 1000, 3000);
      expect(part?.bytes.equals(bytes.subarray(1000, 3000))).toBe(true);
      expect(part?.size).toBe(bytes.length);
    }
    // In place of what is there.
    await keep(member, "/_3fs_0/a/large", [piece]);
    expect((await readAll(member, "/_3fs_0/a/large"))?.size).toBe(piece.length);
    await member.replace("/_3fs_0.records/abc/one", new Uint8Array([1]), "/_3fs_0.new");
    await member.replace("/_3fs_0.records/abc/one", new Uint8Array([2]), "/_3fs_0.new");
    expect((await readAll(member, "/_3fs_0.records/abc/one"))?.bytes[0]).toBe(2);

    // A directory is not replaced by a file: that would be the end of what is in it.
    const refused = await keep(member, "/_3fs_0/a/b", [piece]).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(MemberError);
    expect((await readAll(member, "/_3fs_0/a/b/small #1 ä%.txt"))?.size).toBe(piece.length);

    const items = (await member.list("/_3fs_0/a")).map((i) => [i.name, i.directory] as const);
    expect(new Map(items)).toEqual(
      new Map([
        ["b", true],
        ["large", false],
      ]),
    );
    expect((await member.list("/_3fs_0/a/b"))[0]).toMatchObject({
      name: "small #1 ä%.txt",
      directory: false,
      size: piece.length,
    });
    expect(await member.list("/_3fs_0/none")).toEqual([]);

    await member.remove("/_3fs_0/a/large");
    await member.remove("/_3fs_0/a/large");
    expect(await member.facts("/_3fs_0/a/large")).toBeUndefined();

    const given = await member.put("/_3fs_0.new");
    for (const part of large) await given.write(part);
    await given.abort();
    const whole = await member.put("/_3fs_0.new");
    await whole.write(piece);
    await whole.finish();
    await whole.abort();
    await Bun.sleep(50);
    expect(readdirSync(join(root, "_3fs_0.new"))).toEqual([]);
  });

test.each([
  ["nginx", ""],
  ["apache", ""],
  ["tern", ""],
  ["nginx", ", directly"],
  ["apache", ", directly"],
  ["tern", ", directly"],
] as const)(
  "%s%s whose disk is emptied keeps large files again, after one at the most",
  async (kind, directly) => {
    await using dir = await temporary();
    await using one = await onServer(kind, dir.path, directly !== "");
    const { member, root } = one;
    const large = Array.from({ length: 20 }, () => new Uint8Array(60_000));
    await keep(member, "/_3fs_0/a", large);
    for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
    await keep(member, "/_3fs_0/b", large).catch((error: unknown) => {
      expect(error).toMatchObject({ name: "MemberError" });
    });
    await keep(member, "/_3fs_0/b", large);
    expect((await readAll(member, "/_3fs_0/b"))?.size).toBe(1_200_000);
  },
);

test("a directory's links lead nowhere", async () => {
  await using dir = await temporary();
  await using outside = await temporary();
  await Bun.write(join(outside.path, "secret"), "secret");
  mkdirSync(join(dir.path, "_3fs_0"));
  Bun.spawnSync(["ln", "-s", outside.path, join(dir.path, "_3fs_0/out")]);
  Bun.spawnSync(["ln", "-s", join(outside.path, "secret"), join(dir.path, "_3fs_0/file")]);
  const member = new DirMember("m", dir.path, true);
  expect(member.read("/_3fs_0/out/secret", 0, 10)).rejects.toThrow(/ELOOP/);
  expect(member.read("/_3fs_0/file", 0, 10)).rejects.toThrow(/ELOOP/);
  expect(keep(member, "/_3fs_0/out/new", [])).rejects.toThrow(/ENOTDIR/);
  expect(readdirSync(outside.path)).toEqual(["secret"]);
});

test("a root that is not there is away, and not empty", async () => {
  const member = new DirMember("m", "/nowhere/at/all", true);
  expect(member.read("/_3fs_0/a", 0, 10)).rejects.toThrow(/ENOENT/);
  expect(member.put("/_3fs_0.new")).rejects.toThrow(/ENOENT/);
});
