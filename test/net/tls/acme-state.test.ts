import { expect, test } from "bun:test";
import { readdir, stat, utimes } from "node:fs/promises";

import { AcmeState } from "../../../src/net/tls/acme-state.ts";
import { certificate } from "../../fake/certificate.ts";
import { temporary } from "../../fake/temporary.ts";

const CA = new URL("https://ca.example:14000/dir");

test("what is kept is read back, and is nobody else's to read", async () => {
  await using dir = await temporary();
  const state = new AcmeState(dir.path, CA);
  await state.prepare();
  expect(await state.accountKey()).toBeUndefined();
  expect(await state.certificate("a.example")).toBeUndefined();

  const made = await certificate({ names: ["a.example"] });
  await state.keepAccountKey("the key");
  await state.keepCertificate("a.example", made.key, made.cert);
  expect(await state.accountKey()).toBe("the key");
  expect((await state.certificate("a.example"))?.certificate).toEqual({
    ...made,
    names: ["a.example"],
  });

  const home = `${dir.path}/acme/ca.example-14000-dir`;
  const modes = await Promise.all(
    [home, `${home}/account.pem`, `${home}/a.example.pem`].map(
      async (p) => (await stat(p)).mode & 0o777,
    ),
  );
  expect(modes).toEqual([0o700, 0o600, 0o600]);
});

test("a wildcard's is in a file without a star", async () => {
  await using dir = await temporary();
  const state = new AcmeState(dir.path, CA);
  await state.prepare();
  const made = await certificate({ names: ["*.a.example"] });
  await state.keepCertificate("*.a.example", made.key, made.cert);
  expect(await readdir(`${dir.path}/acme/ca.example-14000-dir`)).toEqual(["_.a.example.pem"]);
  expect((await state.certificate("*.a.example"))?.certificate.names).toEqual(["*.a.example"]);
});

test("the certificates of one CA are not those of another", async () => {
  await using dir = await temporary();
  const [one, other] = [CA, new URL("https://ca.example:14000/staging")].map(
    (d) => new AcmeState(dir.path, d),
  );
  await one?.prepare();
  await one?.keepAccountKey("the key");
  expect(await other?.accountKey()).toBeUndefined();
});

test("killed at any moment of writing, the certificate is the old one or the new one", async () => {
  await using dir = await temporary();
  const state = new AcmeState(dir.path, CA);
  await state.prepare();
  const writer = `
    import { AcmeState } from "${import.meta.dir}/../../../src/net/tls/acme-state.ts";
    import { certificate } from "${import.meta.dir}/../../fake/certificate.ts";
    const state = new AcmeState(${JSON.stringify(dir.path)}, new URL("${CA}"));
    const made = await Promise.all([1, 2, 3].map(() => certificate({ names: ["a.example"] })));
    await state.keepCertificate("a.example", made[0].key, made[0].cert);
    process.stdout.write("ready");
    for (let i = 0; ; i++) await state.keepCertificate("a.example", made[i % 3].key, made[i % 3].cert);
  `;
  for (let round = 0; round < 6; round++) {
    const child = Bun.spawn([process.execPath, "-e", writer], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await child.stdout.getReader().read();
    await Bun.sleep(3 + 7 * round);
    child.kill("SIGKILL");
    await child.exited;
    // Throws when key and chain are not of each other, or either is cut.
    expect((await state.certificate("a.example"))?.certificate.names).toEqual(["a.example"]);
  }
  const folder = `${dir.path}/acme/ca.example-14000-dir`;
  const dayAgo = new Date(Date.now() - 86_400_000);
  for (const name of await readdir(folder))
    if (name.startsWith(".tern-")) await utimes(`${folder}/${name}`, dayAgo, dayAgo);
  await state.prepare();
  expect(await readdir(folder)).toEqual(["a.example.pem"]);
});
