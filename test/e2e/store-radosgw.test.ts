import { expect } from "bun:test";
import { join } from "node:path";

import { Secret } from "../../src/config/scalars.ts";
import { S3Client } from "../../src/services/store/s3/client.ts";
import { temporary } from "../fake/temporary.ts";
import { needs } from "../sys/needs.ts";
import { appliance } from "./from-source.ts";
import { RADOSGW, radosgw } from "./radosgw.ts";

const withRadosgw = needs(
  RADOSGW.every((program) => Bun.which(program) !== null),
  "radosgw (apt-get install radosgw ceph-mon ceph-mgr ceph-osd)",
);

withRadosgw(
  "a stage on Ceph's object store: files of all sizes come, are listed, read and go",
  async () => {
    await using dir = await temporary();
    await using ceph = await radosgw(dir.path);
    const { url, accessKey, secret } = ceph;
    const s3 = new S3Client({
      kind: "s3",
      url,
      region: "us-east-1",
      accessKey,
      secretKey: new Secret(secret),
    });
    expect((await s3.ask("PUT", "/bucket", { patience: 20_000 })).status).toBe(200);
    s3.close();
    const bucket = { s3: `${url}/bucket`, access_key: accessKey, secret_key: secret };
    await using tern = await appliance((own) => ({
      workers: 2,
      state: join(own, "var"),
      admin: { listen: [] },
      store: {
        files: {
          listen: "127.0.0.1:0",
          stages: { 0: { redundancy: 1, members: [{ id: "rgw", ...bucket }] } },
        },
      },
    }));
    const base = `http://127.0.0.1:${tern.port}`;
    const files: Readonly<Record<string, Uint8Array>> = {
      empty: new Uint8Array(),
      "small ü+&.txt": new TextEncoder().encode("hello"),
      large: Buffer.alloc(20 * 2 ** 20 + 5, crypto.getRandomValues(new Uint8Array(65_521))),
    };
    expect((await fetch(`${base}/d`, { method: "MKCOL" })).status).toBe(201);
    for (const [name, body] of Object.entries(files)) {
      const at = `${base}/d/${encodeURIComponent(name)}`;
      const put = await fetch(at, { method: "PUT", body: body as BodyInit });
      expect([name, put.status]).toEqual([name, 201]);
      const got = await fetch(at);
      expect(Buffer.from(await got.bytes()).equals(Buffer.from(body))).toBe(true);
    }
    const listed = await fetch(`${base}/d/`, { method: "PROPFIND", headers: { depth: "1" } });
    const hrefs = [...(await listed.text()).matchAll(/<D:response><D:href>([^<]*)</g)];
    expect(hrefs.map(([, href]) => href)).toEqual([
      "/d/",
      "/d/empty",
      "/d/large",
      "/d/small%20%C3%BC+&amp;.txt",
    ]);
    expect((await fetch(`${base}/d`, { method: "DELETE" })).status).toBe(204);
    expect((await fetch(`${base}/d/large`)).status).toBe(404);
  },
  120_000,
);
