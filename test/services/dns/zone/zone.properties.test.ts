import { expect, test } from "bun:test";

import fc from "fast-check";

import { KeyRing } from "../../../../src/services/dns/zone/signing/key-ring.ts";
import { Signer } from "../../../../src/services/dns/zone/signing/signer.ts";
import { ZoneKey } from "../../../../src/services/dns/zone/signing/zone-key.ts";
import { loadZone } from "../../../../src/services/dns/zone/zone-builder.ts";
import { ask, wire } from "./ask.ts";

const TOP = "@ 60 SOA ns host 7 2 3 4 5\n@ 60 NS ns\n@ 60 NS ns.test.\n";
/** Few labels, so that names meet: above, below and beside each other, and as wildcards. */
const label = fc.constantFrom("a", "b", "c", "*", "ns");
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
const record = fc.oneof(
  fc.record({
    name,
    rest: fc.constantFrom("A 192.0.2.1", "AAAA 2001:db8::1", "TXT x", "DS 1 13 2 00"),
  }),
  fc.record({
    name,
    rest: fc
      .tuple(fc.constantFrom("NS", "CNAME", "DNAME", "MX 1", "SRV 1 1 1", "HTTPS 1"), name)
      .map((two) => two.join(" ")),
  }),
);
const types = [
  "A",
  "NS",
  "CNAME",
  "DNAME",
  "DS",
  "MX",
  "SRV",
  "HTTPS",
  "NSEC",
  "RRSIG",
  "ANY",
  "SOA",
];
const asked = fc.record({ name, type: fc.constantFrom(...types), dnssec: fc.boolean() });
const key = ZoneKey.generate();

test("whatever a zone has, every answer is short, of the zone, and can be read", () => {
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 12 }),
      fc.array(asked, { minLength: 1, maxLength: 10 }),
      fc.boolean(),
      (records, questions, signs) => {
        const text = TOP + records.map((one) => `${one.name} 60 ${one.rest}\n`).join("");
        const origin = wire("example.");
        const signer = signs ? new Signer(origin, new KeyRing(key), Date.now) : undefined;
        const built = loadZone(text, { file: "random.zone", origin }, signer);
        if (!built.ok) {
          expect(built.problems.length).toBeGreaterThan(0);
          return;
        }
        const names = new Set(records.map((one) => one.name));
        for (const question of questions) {
          const flag = question.dnssec ? " +do" : "";
          const said = ask(built.zone, `${question.name}.example. ${question.type}${flag}`);
          const { status, answer, authority } = said;
          expect(answer.length).toBeLessThan(80);
          for (const line of [...answer, ...authority])
            expect(line).toMatch(/^(\S+\.)?example\. \d+ /);
          if (status.startsWith("NXDOMAIN") && answer.length === 0) {
            // RFC 8020: nothing is at such a name, nor below it.
            const below = [...names].filter(
              (one) => one === question.name || one.endsWith(`.${question.name}`),
            );
            expect(below).toEqual([]);
          }
          if (answer.length === 0) expect(authority.length).toBeGreaterThan(0);
          if (!status.endsWith("aa")) expect(authority[0]).toContain(" NS ");
        }
      },
    ),
    { numRuns: 300 },
  );
});
