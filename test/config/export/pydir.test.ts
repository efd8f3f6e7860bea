import { expect, test } from "bun:test";
import { join } from "node:path";

import fc from "fast-check";

import { written } from "../../../src/config/edit.ts";
import { exportPydir } from "../../../src/config/export/pydir/pydir.ts";
import type { User } from "../../../src/config/import/pydir/director.ts";
import { directorYaml, importPydir } from "../../../src/config/import/pydir/pydir.ts";
import { readDirector } from "../../../src/config/import/pydir/read.ts";
import { director } from "../import/pydir/director-gen.ts";

const FILES = join(import.meta.dir, "..", "import", "pydir", "files");

function exported(yaml: string) {
  const config = written(yaml);
  return exportPydir(config, (config.at(["admin", "users"]) ?? []) as unknown as readonly User[]);
}

test("running.xml, as pythondirector writes it", async () => {
  const { xml, notes } = exported(await Bun.file(join(FILES, "sample.yaml")).text());
  expect(xml).toBe(await Bun.file(join(FILES, "running.xml")).text());
  expect(notes).toEqual([]);
});

test("what is imported, exported and imported again is what it was", () => {
  fc.assert(
    fc.property(director, (told) => {
      const once = directorYaml(told);
      const { xml, notes } = exported(once);
      const again = importPydir(xml, "p.xml");
      expect(again.ok && again.yaml.split("\n").slice(2).join("\n")).toBe(once);
      expect(notes.filter((note) => !note.includes("has no scheduler"))).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test("what the schema has no place for is a comment and a note", () => {
  const { xml, notes } = exported(`
web: {}
pools:
  a:
    sticky: ip
    checktime: 90s
    check: { kind: tcp }
    scheduler: p2c
    hosts:
      - 10.0.0.1-2:80
      - "[::1]:80"
      - { name: down--, address: "10.0.0.9:80", weight: 2, state: down }
      - srv:_http._tcp.example.net
  b: { hosts: [] }
  c: {}
balance:
  s:
    listen: [":80", "[::]:81", "unix:/run/s"]
    groups: { g: { pool: a }, h: { pool: b } }
    tls: terminate
    secret: hush
  t: { listen: "unix:/run/t", groups: {} }
admin: { listen: ["[::1]:1", "127.0.0.1:2", "127.0.0.1:3"] }
log: { file: "-" }
`);
  expect(xml).toBe(`<?xml version="1.0" ?>
<pdconfig>
    <!-- service s, group g: host [::1]:80 has an address that cannot be said here: left out -->
    <!-- service s, group g: host srv:_http._tcp.example.net has an address that cannot be said here: left out -->
    <!-- service t has no listener or group that can be said here: left out -->
    <!-- the pools have several checktimes: the shortest is written -->
    <!-- pool c belongs to no service here: left out -->
    <!-- section web has no place here: left out -->
    <service name="s">
        <!-- it listens on [::]:81 too, which pythondirector cannot -->
        <!-- it listens on unix:/run/s too, which pythondirector cannot -->
        <!-- tls: terminate has no place here -->
        <!-- secret has no place here -->
        <listen ip="*:80"/>
        <group name="g" scheduler="p2c">
            <!-- sticky: ip has no place here -->
            <!-- check has no place here -->
            <!-- pythondirector has no scheduler p2c -->
            <host name="10.0.0.1:80" ip="10.0.0.1:80"/>
            <host name="10.0.0.2:80" ip="10.0.0.2:80"/>
            <!-- weight: 2 has no place here -->
            <!-- state: down has no place here -->
            <host name="down--" ip="10.0.0.9:80"/>
        </group>
        <group name="h" scheduler="roundrobin">
            <!-- it has no hosts, without which pythondirector does not start -->
        </group>
        <enable group="g"/>
    </service>
    <admin listen="127.0.0.1:2">
        <!-- it listens on [::1]:1 too -->
        <!-- it listens on 127.0.0.1:3 too -->
    </admin>
    <checktime time="90"/>
</pdconfig>
`);
  expect(notes).toContain("service s, group g, host down--: weight: 2 has no place here");
  expect(xml).not.toContain("hush");
  expect(notes.join("\n")).not.toContain("hush");
});

test("whatever a config says, its export is XML", () => {
  const word = fc.oneof(fc.string(), fc.constantFrom("--", "-->", "]]>", "\0", "\ud800", "é"));
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      const config = JSON.stringify({
        pools: { [a]: { sticky: b, hosts: [{ name: c, address: "10.0.0.1:80" }] } },
        balance: { [c]: { listen: ":80", groups: { [b]: { pool: a } }, [b]: a } },
        [a]: {},
      });
      const read = readDirector(exported(config).xml, "p.xml");
      const said = read.ok ? "" : (read.problems[0]?.message ?? "");
      expect(said).not.toContain("no XML");
    }),
  );
});
