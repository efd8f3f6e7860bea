import { expect } from "bun:test";

import fc from "fast-check";

import { showName } from "../../../src/wire/dns/name.ts";
import { showRdata } from "../../../src/wire/dns/rdata/show.ts";
import { showType } from "../../../src/wire/dns/types.ts";
import { latin1, views } from "../canary.ts";
import { wireName } from "./name.properties.ts";
import { parseZone } from "./parse-zone.ts";
import { goodRdata } from "./rdata/rdata.properties.ts";

const origin = latin1("\x07example\x03net\0");
const source = { file: "zone", origin };

const record = fc
  .tuple(wireName, goodRdata, fc.nat(0x7fff_ffff))
  .filter(([, { type }]) => type !== 41 && (type < 128 || type > 255))
  .map(([name, { type, rdata }, ttl]) => ({
    name,
    type,
    class: 1,
    ttl,
    rdata: new Uint8Array(rdata),
  }));

export const readsWhatIsShown = fc.property(fc.array(record, { maxLength: 5 }), (records) => {
  const text = records
    .map(
      (rr) =>
        `${showName(rr.name)} ${rr.ttl} IN ${showType(rr.type)} ${showRdata(rr.type, rr.rdata)}\n`,
    )
    .join("");
  const read = parseZone(text, source);
  const plain = records.map((rr, i) => ({ ...rr, file: "zone", line: i + 1 }));
  expect(read).toEqual({ ok: true, records: plain });
});

const pieces = fc.constantFrom(
  ...'@|a|*|www.|example.net.|IN|CH|300|1h|A|AAAA|NS|MX|TXT|SOA|TYPE65280|\\#|192.0.2.1|10|(|)|"|;|\\|\\065|\n|\r\n| |\t|$ORIGIN|$TTL|$INCLUDE|$GENERATE|1-3|${0,3,x}|$|"a b"|é|\0'.split(
    "|",
  ),
);
const scribble = fc
  .array(fc.tuple(pieces, fc.constantFrom(" ", "", "\n")))
  .map((all) => all.flat().join(""));

export const anyText = fc.property(scribble, (text) => {
  const include = (path: string) => {
    if (path === "a") throw new Error("no such file");
    return "b 5 TXT included";
  };
  const read = parseZone(text, { ...source, include });
  const bytes = new TextEncoder().encode(text);
  for (const view of views(bytes, "x 1 A 192.0.2.9\n"))
    expect(parseZone(view, { ...source, include })).toEqual(read);
  if (read.ok) return;
  const lines = text.split("\n");
  for (const { file, line, column, message } of read.problems) {
    expect(message).not.toBe("");
    if (file !== "zone") continue;
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeLessThanOrEqual(new TextEncoder().encode(lines[line - 1]).length + 1);
  }
});
