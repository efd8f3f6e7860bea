/** A stage of which two members are object stores, which are killed and stopped while it is used. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { Secret } from "../../src/config/scalars.ts";
import { S3Client } from "../../src/services/store/s3/client.ts";
import { freePort } from "../fake/ports.ts";
import { dice, StoreBook } from "../fake/store-book.ts";
import { temporary } from "../fake/temporary.ts";
import { needs } from "../sys/needs.ts";
import { type Appliance, appliance } from "./from-source.ts";
import { RADOSGW, radosgw } from "./radosgw.ts";
import { type FileServer, fileServer, OBJECTS } from "./store-servers.ts";

setDefaultTimeout(120_000);

const NAMES = Array.from({ length: 6 }, (_, i) => `file%20${i}`);

/** An object store whose user is OBJECTS. */
type ObjectServer = Pick<FileServer, "url" | "signal" | "kill" | "start"> & AsyncDisposable;

describe.each(["tern", "Ceph"])("object stores of a stage, the first of %s", (first) => {
  const have = first === "tern" || RADOSGW.every((program) => Bun.which(program) !== null);
  const withIt = needs(have, "radosgw (apt-get install radosgw ceph-mon ceph-mgr ceph-osd)");
  const ended = new AsyncDisposableStack();
  const servers: ObjectServer[] = [];
  let tern: Appliance;
  let url: string;
  let book: StoreBook;
  let config: object;

  beforeAll(async () => {
    if (!have) return;
    const dir = ended.use(await temporary());
    for (const name of ["s0", "s1"]) {
      const server: ObjectServer = ended.use(
        first === "Ceph" && name === "s0"
          ? await radosgw(dir.path)
          : await fileServer("tern-s3", dir.path, name),
      );
      ended.defer(() => server.signal("SIGCONT"));
      servers.push(server);
      const client = new S3Client({
        kind: "s3",
        url: server.url,
        region: "us-east-1",
        accessKey: OBJECTS.access_key,
        secretKey: new Secret(OBJECTS.secret_key),
      });
      expect((await client.ask("PUT", "/bucket", { patience: 20_000 })).status).toBe(200);
      client.close();
    }
    const disk = join(dir.path, "disk");
    mkdirSync(disk);
    const members = servers.map(({ url: at }, i) => ({
      id: `s${i}`,
      s3: `${at}/bucket`,
      ...OBJECTS,
    }));
    const files = {
      listen: `127.0.0.1:${await freePort()}`,
      free_floor: "0%",
      stages: {
        0: { redundancy: 3, write_quorum: 2, members: [...members, { id: "disk", dir: disk }] },
      },
    };
    config = { workers: 1, state: join(dir.path, "var"), admin: { listen: [] }, store: { files } };
    tern = ended.use(await appliance(() => config));
    url = `http://127.0.0.1:${tern.port}`;
    book = new StoreBook(NAMES, dice(7));
  });
  afterAll(() => ended.disposeAsync());

  const server = (i: number): ObjectServer => servers[i]!; // two of them

  const happenings = [
    {
      story: "one is killed and started again",
      happens: async () => {
        await server(0).kill();
        await Bun.sleep(700);
        await server(0).start();
      },
    },
    {
      story: "one is stopped for longer than anybody waits",
      happens: async () => {
        server(0).signal("SIGSTOP");
        await Bun.sleep(7000);
        server(0).signal("SIGCONT");
      },
    },
    {
      story: "both are killed: writes have to wait for one of them",
      happens: async () => {
        await Promise.all(servers.map((one) => one.kill()));
        await Bun.sleep(500);
        await Promise.all(servers.map((one) => one.start()));
      },
    },
    {
      story: "one is killed together with the router",
      happens: async () => {
        tern.kill("SIGKILL");
        await Promise.all([tern.exited, server(0).kill()]);
        tern = ended.use(await appliance(() => config));
        await server(0).start();
      },
    },
  ];
  for (const { story, happens } of happenings)
    withIt(story, async () => {
      book.note(story);
      const { kept } = book.told;
      const over = new AbortController();
      const clients = Promise.all(
        NAMES.map(async (name) => {
          while (!over.signal.aborted) {
            await book.any(url, name);
            await Bun.sleep(5); // nobody may listen: not to ask all the time
          }
        }),
      );
      try {
        await Promise.race([clients, Bun.sleep(1000)]);
        await happens();
        await Promise.race([clients, Bun.sleep(1000)]);
      } finally {
        over.abort();
        await clients;
      }
      expect(book.told.kept).toBeGreaterThan(kept);
      await whole();
      // Whoever is left has it all: two of three are enough to be sure.
      for (const one of servers) {
        await one.kill();
        await book.all(url);
        await one.start();
      }
    });

  /** All copies are made, and every byte of them has been verified. */
  async function whole(): Promise<void> {
    for (let tries = 0; ; tries++) {
      const { code, out, err } = await tern.verb("store", "fsck");
      if (code === 0) return;
      if (tries === 100) throw new Error(`fsck: ${out}${err}`);
      await Bun.sleep(500); // a member that has just come back is not asked yet
    }
  }
});
