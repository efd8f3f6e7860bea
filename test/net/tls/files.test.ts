import { expect, test } from "bun:test";

import { CertificateFiles } from "../../../src/net/tls/files.ts";
import { silent } from "../../../src/observe/log.ts";
import { certificate, type Made } from "../../fake/certificate.ts";
import { memoryLog } from "../../fake/log.ts";
import { temporary } from "../../fake/temporary.ts";

async function pairIn(dir: string, made: Made): Promise<{ cert: string; key: string }> {
  const file = { cert: `${dir}/a.pem`, key: `${dir}/a.key` };
  await Bun.write(file.cert, made.cert);
  await Bun.write(file.key, made.key);
  return file;
}

test("a pair is read, and left alone until it changes", async () => {
  await using dir = await temporary();
  const first = await certificate({ names: ["a.example"] });
  const file = await pairIn(dir.path, first);
  const files = await CertificateFiles.open([file]);
  expect(files.pairs.map((p) => p.certificate)).toEqual([{ ...first, names: ["a.example"] }]);
  expect(await files.refresh(silent)).toBe(false);
});

test("a new pair written one file after the other is taken when both are there", async () => {
  await using dir = await temporary();
  const file = await pairIn(dir.path, await certificate({ names: ["a.example"] }));
  const files = await CertificateFiles.open([file]);
  const next = await certificate({ names: ["b.example"] });
  const log = memoryLog();

  await Bun.write(file.cert, next.cert);
  expect(await files.refresh(log)).toBe(false);
  expect(files.pairs[0]?.certificate.names).toEqual(["a.example"]);
  expect(await files.refresh(log)).toBe(false); // said once, not at every look
  expect(log.lines).toEqual(["warn changed certificate not used; the one before stays"]);

  await Bun.write(file.key, next.key);
  expect(await files.refresh(log)).toBe(true);
  expect(files.pairs[0]?.certificate.names).toEqual(["b.example"]);
});

test("files that vanish leave what was read", async () => {
  await using dir = await temporary();
  const file = await pairIn(dir.path, await certificate({ names: ["a.example"] }));
  const files = await CertificateFiles.open([file]);
  await Bun.file(file.cert).delete();
  expect(await files.refresh(silent)).toBe(false);
  expect(files.pairs).toHaveLength(1);
});

test.each([
  { story: "a missing file", key: undefined, why: /a\.key: ENOENT/ },
  { story: "a broken file", key: "hello", why: /a\.pem with .*a\.key: not an unencrypted PEM/ },
])("$story is named", async ({ key, why }) => {
  await using dir = await temporary();
  const file = await pairIn(dir.path, await certificate({ names: ["a.example"] }));
  await (key === undefined ? Bun.file(file.key).delete() : Bun.write(file.key, key));
  expect(CertificateFiles.open([file])).rejects.toThrow(why);
});
