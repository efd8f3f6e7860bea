import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { LATER, SECTIONS } from "../../src/app/services.ts";
import { load } from "../../src/config/load.ts";
import { ROOT } from "./sources.ts";

const BLOCK = /^```yaml\n([\s\S]*?)^```$/gm;
const pages = ["README.md", ...new Bun.Glob("{src,conf,test}/**/*.md").scanSync(ROOT)];

/** Every YAML block of every page is a config that loads. */
const blocks = pages.flatMap((page) => {
  const text = readFileSync(join(ROOT, page), "utf8");
  return Array.from(text.matchAll(BLOCK), (match) => ({
    place: `${page}:${text.slice(0, match.index).split("\n").length}`,
    config: match[1] ?? "",
  }));
});

describe("configs in the documentation load", () => {
  test.each(blocks)("$place", ({ config, place }) => {
    // Files and variables of an example are the reader's.
    const env = new Proxy({}, { get: () => "secret" });
    const read = load(config, {
      file: place,
      base: "/etc/tern",
      sections: SECTIONS,
      later: LATER,
      env,
      readFile: () => "secret",
    });
    expect(read.ok ? [] : read.problems.map((p) => `${p.line}: ${p.path}: ${p.message}`)).toEqual(
      [],
    );
  });
});

test("links between pages lead to files", () => {
  const LINK = /\]\((?!https?:|#|mailto:)([^)#]+)[^)]*\)/g;
  const dead = pages.flatMap((page) =>
    Array.from(readFileSync(join(ROOT, page), "utf8").matchAll(LINK), ([, to = ""]) => to)
      .filter((to) => !existsSync(join(ROOT, page, "..", to)))
      .map((to) => `${page}: ${to}`),
  );
  expect(dead).toEqual([]);
});
