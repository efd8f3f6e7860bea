import { expect, setDefaultTimeout } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import * as v from "valibot";

import { Etcd } from "../../../src/net/cluster/etcd.ts";
import { noNodes } from "../../../src/net/cluster/nodes.ts";
import { storeSchema } from "../../../src/services/store/config.ts";
import { openStore } from "../../../src/services/store/open-store.ts";
import { etcdServer } from "../../fake/etcd-server.ts";
import { fakeHost } from "../../fake/host.ts";
import { temporary } from "../../fake/temporary.ts";
import { needs } from "../../sys/needs.ts";

setDefaultTimeout(30_000);

const withEtcd = needs(Bun.which("etcd") !== null, "etcd (apt-get install etcd-server)");

withEtcd("a store that cannot be opened leaves nobody behind among the routers", async () => {
  await using dir = await temporary();
  await using server = await etcdServer();
  using host = fakeHost({ nodes: { ...noNodes, truth: { urls: [server.url], node: "a" } } });
  const file = join(dir.path, "file");
  writeFileSync(file, "");
  const members = ["a", "b"].map((id) => ({ id, dir: join(dir.path, id) }));
  const config = (cache: object) => {
    const section = { files: { listen: "127.0.0.1:0", stages: { 0: { members } }, cache } };
    const { files } = v.parse(storeSchema, section);
    if (files === undefined) throw new Error("no store");
    return files;
  };
  await expect(openStore("files", config({ disk: file }), host)).rejects.toThrow(
    "store.files.cache.disk: ",
  );
  const etcd = new Etcd([server.url]);
  const left = await etcd.list("/tern/store/files/");
  expect(left.map(({ key }) => key).filter((key) => !key.includes("/usage/"))).toEqual([]);
  const opened = await openStore("files", config({}), host);
  await opened.close();
});
