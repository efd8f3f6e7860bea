import { describe, expect } from "bun:test";

import { freePort } from "../../../fake/ports.ts";
import { temporary } from "../../../fake/temporary.ts";
import { needs } from "../../../sys/needs.ts";
import { serving } from "../serving.ts";
import { FOLLOWERS, KEY_NAME, reaches, transferred } from "./primaries.ts";

const SECRET = Buffer.alloc(32, 7).toString("base64");

function zone(serial: number, changing: string): string {
  const many = Array.from({ length: 3000 }, (_, i) => `h${i} A 10.0.${i >>> 8}.${i & 255}`);
  return `$TTL 300
@ SOA ns1 admin ${serial} 3600 900 604800 300
@ NS ns1
ns1 A 192.0.2.1
odd TYPE65280 \\# 3 010203
${changing}
${many.join("\n")}
`;
}

/** NSD answers from a new process once it has the zone; the old one takes its connections along. */
async function fromFollower(port: number): Promise<string[]> {
  for (let tries = 0; tries < 20; tries++) {
    const records = await transferred(port);
    if (records.length > 0) return records;
    await Bun.sleep(50);
  }
  return [];
}

for (const { name, start, here } of FOLLOWERS)
  describe(`${name} follows us`, () => {
    for (const secret of [undefined, SECRET])
      needs(here, name)(
        `${secret === undefined ? "unsigned" : "signed"}: has the zone, and the next one when it is told`,
        async () => {
          await using directory = await temporary();
          const notify = await freePort();
          const tsig = secret === undefined ? {} : { tsig: KEY_NAME };
          const keys = secret === undefined ? {} : { [KEY_NAME]: { secret } };
          const zones = {
            "example.net": { transfer: "127.0.0.1", notify: `127.0.0.1:${notify}`, ...tsig },
          };
          await using tern = await serving(
            { zones, keys },
            { "example.net": zone(1, "www A 192.0.2.10") },
          );
          await using follower = await start({
            dir: directory.path,
            port: notify,
            primary: tern.port,
            ...(secret !== undefined && { secret }),
          });
          expect(follower.port).toBe(notify);
          await reaches(notify, 1);
          expect(await fromFollower(notify)).toEqual(await transferred(tern.port, secret));

          await tern.write("example.net", zone(2, "www A 192.0.2.11"));
          await tern.reload();
          await reaches(notify, 2);
          expect(await fromFollower(notify)).toContain("www.example.net. 300 IN A 192.0.2.11");
        },
        40_000,
      );
  });
