import { expect, test } from "bun:test";

import { LATER, SECTIONS } from "../../../src/app/services.ts";
import { import3xsd } from "../../../src/config/import/three-xsd.ts";
import { load } from "../../../src/config/load.ts";
import { ConfigError } from "../../../src/config/problem.ts";

function imported(lines: string) {
  const { yaml, notes } = import3xsd(`[3fsd]\n${lines}`, "/etc/3xsd.conf");
  const loaded = load(yaml, { file: "/etc/tern.yaml", sections: SECTIONS, later: LATER });
  if (!loaded.ok) throw new ConfigError(loaded.problems);
  const stores = (loaded.sections["store"] ?? {}) as Record<string, Record<string, unknown>>;
  return { yaml, stores, notes: notes.map(({ line, message }) => `${line}: ${message}`) };
}

test("pool lines become stores with the stages, members and copies they had", () => {
  const { yaml, stores, notes } = imported(`
redundancy = 3
region = 4096
prefix = _files
stage = 1
write_permit = 127.0.0.1,10.23.4.10-20
files.example = 0,10.0.0.1:80,10.0.0.2:80;1,10.0.1.1-4:8080;0,10.0.0.3,10.0.0.4:80
other.example = 1,10.2.0.1:80,10.2.0.2:80
`);
  expect(notes).toEqual([]);
  expect(Object.keys(stores)).toEqual(["files.example", "other.example"]);
  const ids = (stage: unknown) => (stage as { members: { id: string }[] }).members.map((m) => m.id);
  const { stages, ...rest } = stores["files.example"] ?? {};
  expect(rest).toMatchObject({
    hosts: ["files.example"],
    prefix: "_files",
    stage: 1,
    raw_paths: true,
  });
  expect(yaml).toContain("write_permit: [ 127.0.0.1, 10.23.4.10-20 ]\n");
  const byNumber = stages as Record<string, object>;
  expect(byNumber["0"]).toMatchObject({ placement: "md5-paper", region: 4096, redundancy: 3 });
  expect(ids(byNumber["0"])).toEqual(["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"]);
  expect(ids(byNumber["1"])).toEqual([1, 2, 3, 4].map((i) => `10.0.1.${i}:8080`));
});

const NO_STORE = "2: [3fsd] has no hosts: there is no store";

test.each([
  {
    story: "what the program calculated otherwise than the paper",
    lines: "region = 256\nh.example = 0,10.0.0.1-3:80",
    note: "3: stage 0 has 3 servers for a region of 256: what 3fsd has stored there is found with placement: md5-2to3",
  },
  {
    story: "a file that could not have worked",
    lines: "h.example = 0,10.0.0.1-4:80",
    note: "2: 3fsd could not do without a region; here it is 256",
  },
  {
    story: "a strange permit",
    lines: "region = 256\nwrite_permit = me\nh.example = 0,10.0.0.1-4:80",
    note: '3: "me" is no address and no range of them: left out',
  },
  {
    story: "a setting that is none",
    lines: "region = 256\nhomedir = /x\nh.example = 0,10.0.0.1-4:80",
    note: '3: 3fsd has no setting "homedir", and it is no host: left out',
  },
  {
    story: "a current stage that is no number",
    lines: "region = 256\nstage = x\nh.example = 0,10.0.0.1-4:80",
    note: "3: stage = x is no number: 0 is taken",
  },
  {
    story: "a stage of a host that is no number",
    lines: "region = 256\nh.example = 0,10.0.0.1-4:80;x,10.0.0.9:80",
    note: '3: h.example: "x" is no stage: left out',
  },
  {
    story: "a server that is none",
    lines: "region = 256\nh.example = 0,10.0.0.1-4:80,nope!",
    note: '3: "nope!" is no server: left out',
  },
  {
    story: "a host without servers",
    lines: "region = 256\nh.example = 0,10.0.0.1-4:80\nempty.example = 0,",
    note: "4: empty.example has no servers: left out",
  },
  { story: "no hosts but such", lines: "region = 256\nh.example = 0,", note: NO_STORE },
  { story: "no hosts", lines: "region = 256", note: NO_STORE },
])("told: $story", ({ lines, note }) => {
  expect(imported(lines).notes).toContain(note);
});

test.each([
  {
    story: "more servers than parts, by which 3fsd divided by zero",
    lines: "region = 16\nh.example = 0,10.0.0.1-20:80",
    problem: "20 members share a region of 16: some would have no part",
  },
  {
    story: "a region that is no power of 16",
    lines: "region = 1000\nh.example = 0,10.0.0.1-4:80",
    problem: "expected a power of 16",
  },
  {
    story: "a current stage that no host has",
    lines: "region = 256\nstage = 3\nh.example = 0,10.0.0.1-4:80",
    problem: "there is no stage 3",
  },
  {
    story: "one server twice",
    lines: "region = 256\nh.example = 0,10.0.0.1-4:80,10.0.0.2:80",
    problem: 'there are two members "10.0.0.2:80"',
  },
])("carried as it was, and refused by the check: $story", ({ lines, problem }) => {
  expect(() => imported(lines)).toThrow(problem);
});
