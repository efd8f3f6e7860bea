import { expect, test } from "bun:test";

import { bar } from "../../src/cli/udt-progress.ts";
import { safeName } from "../../src/cli/udt-recv.ts";

test.each([
  { name: "disk.img", safe: "disk.img" },
  { name: "/etc/passwd", safe: "passwd" },
  { name: "../../.ssh/authorized_keys", safe: "authorized_keys" },
  { name: "..", safe: "file" },
  { name: "a/..", safe: "file" },
  { name: "/", safe: "file" },
  { name: "", safe: "file" },
  { name: "a\0b", safe: "ab" },
])('a stranger calls it "$name": it is written to "$safe"', ({ name, safe }) => {
  expect(safeName(name)).toBe(safe);
});

test.each([
  {
    story: "a third of it",
    done: 1 << 20,
    size: 3 << 20,
    rate: 1 << 20,
    shows: " 33 %  [========>               ]  1 MiB of 3 MiB  1 MiB/s  2 s left",
  },
  {
    story: "all of it",
    done: 2048,
    size: 2048,
    rate: 1024,
    shows: "100 %  [========================]  2 KiB of 2 KiB  1 KiB/s  0 s left",
  },
  {
    story: "not begun",
    done: 0,
    size: 1024,
    rate: 0,
    shows: "  0 %  [>                       ]  0 B of 1 KiB  0 B/s",
  },
  { story: "a pipe", done: 5120, size: undefined, rate: 512, shows: "5 KiB  512 B/s" },
  { story: "an empty file", done: 0, size: 0, rate: 0, shows: "0 B  0 B/s" },
])("$story", ({ done, size, rate, shows }) => {
  expect(bar(done, size, rate)).toBe(shows);
});
