import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { LATER, SECTIONS } from "../../src/app/services.ts";
import { load } from "../../src/config/load.ts";
import { ROOT } from "./sources.ts";

const BLOCK = /^```yaml\n([\s\S]*?)^```$/gm;
const pages = ["README.md", ...new Bun.Glob("{src,conf,test}/**/*.md").scanSync(ROOT)];
const files = Array.from(new Bun.Glob("{src,conf,test,build}/**").scanSync(ROOT), (at) => `/${at}`);

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

// `net/pools/`, `head.ts`, `wire/udt`: what a page calls so is there, in whatever folder. Capitals are the reader's.
test("files and folders that pages name are there", () => {
  const FILE = "[\\w@./-]+\\.(?:tsx?|mjs|json|yaml|md|service)";
  const ROOMS = ["src", "conf", "test", "build", ...readdirSync(join(ROOT, "src"))].join("|");
  const NAMED = new RegExp(`\`(${FILE}|[\\w@.][\\w@./-]*/|(?:${ROOMS})/[\\w@./-]+)\``, "g");
  const isThere = (name: string): boolean =>
    /\b[A-Z]+\b/.test(name) ||
    name === "dist/" || // made by `npm run build`
    name === "test/console/shots/" || // made by the console's tests
    files.some(
      (file) => file.endsWith(`/${name}`) || `${file}/`.includes(`/${name.replace(/\/$/, "")}/`),
    );
  const gone = pages
    .filter((page) => page !== "src/STYLE.md") // its files are examples
    .flatMap((page) =>
      Array.from(readFileSync(join(ROOT, page), "utf8").matchAll(NAMED), ([, name = ""]) => name)
        .filter((name) => !isThere(name))
        .map((name) => `${page}: ${name}`),
    );
  expect(gone).toEqual([]);
});
