import { describe, expect } from "bun:test";

import { memoryLog } from "../../../fake/log.ts";
import { temporary } from "../../../fake/temporary.ts";
import { needs } from "../../../sys/needs.ts";
import { serving } from "../serving.ts";
import { KEY_NAME, PRIMARIES, reaches, transferred } from "./primaries.ts";

const SECRET = Buffer.alloc(32, 7).toString("base64");

/** `hosts` addresses besides: the first versions need several messages. */
function zone(serial: number, changing: string, hosts = 3000): string {
  const many = Array.from({ length: hosts }, (_, i) => `h${i} A 10.0.${i >>> 8}.${i & 255}`);
  return `$ORIGIN example.net.
$TTL 300
@ SOA ns1 admin ${serial} 3600 900 604800 300
@ NS ns1
@ MX 10 Mail
ns1 A 192.0.2.1
Mail A 192.0.2.25
* TXT "anything" "else"
svc SVCB 1 . alpn=h2,h3 port=8443
caa CAA 0 issue "ca.example.net"
odd TYPE65280 \\# 3 010203
${changing}
${many.join("\n")}
`;
}

for (const { name, start, differences, here } of PRIMARIES)
  describe(`from ${name}`, () => {
    for (const secret of [undefined, SECRET])
      needs(here, name)(
        `a zone comes ${secret === undefined ? "unsigned" : "signed"}, follows a notification, is as there, and stays when it is gone`,
        async () => {
          await using directory = await temporary();
          const log = memoryLog();
          const tern = await serving({}, {}, { log });
          await using _ = tern;
          const dir = directory.path;
          const signed = secret === undefined ? {} : { tsig: KEY_NAME };
          const setup = { dir, notify: tern.port, ...(secret !== undefined && { secret }) };
          const primary = await start({ ...setup, zone: zone(1, "www A 192.0.2.10") });
          const gone = { done: false };
          await using __ = {
            [Symbol.asyncDispose]: async () => {
              if (!gone.done) await primary[Symbol.asyncDispose]();
            },
          };
          const zones = {
            "example.net": {
              primaries: `127.0.0.1:${primary.port}`,
              transfer: "127.0.0.1",
              ...signed,
            },
          };
          const keys = secret === undefined ? {} : { [KEY_NAME]: { secret } };
          await tern.reload({ zones, keys });
          await reaches(tern.port, 1);
          expect(await transferred(tern.port, secret)).toEqual(
            await transferred(primary.port, secret),
          );

          await primary.update(zone(2, "www A 192.0.2.11\nnew A 192.0.2.12"));
          await reaches(tern.port, 2, 5000);
          const records = await transferred(tern.port, secret);
          expect(records).toEqual(await transferred(primary.port, secret));
          expect(records).toContain("www.example.net. 300 IN A 192.0.2.11");
          const came = log.fields.filter((_f, i) => log.lines[i] === "info a zone has come");
          expect(came.map(({ serial, how }) => [serial, how])).toEqual([
            [1, "full"],
            [2, differences ? "difference" : "full"],
          ]);

          gone.done = true;
          await primary[Symbol.asyncDispose]();
          await tern.reload({ zones, keys });
          await reaches(tern.port, 2, 1000);
        },
        40_000,
      );
  });
