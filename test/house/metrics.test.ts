import { expect, test } from "bun:test";

import { sources } from "./sources.ts";

const DECLARED = /\b(counter|gauge|histogram)\(\s*"([^"]*)",\s*"([^"]*)"/g;

test("metrics are named for what they count, and say it in a sentence", async () => {
  const wrong: string[] = [];
  const helps = new Map<string, string>();
  for (const { path, text } of await sources())
    for (const [, kind = "", name = "", help = ""] of text.matchAll(DECLARED)) {
      const place = `${path}: ${name}`;
      if (!/^tern_[a-z0-9]+(_[a-z0-9]+)*$/.test(name)) wrong.push(`${place}: not tern_lower_case`);
      // https://prometheus.io/docs/practices/naming/
      if ((kind === "counter") !== name.endsWith("_total"))
        wrong.push(`${place}: _total is for counters`);
      if (kind === "histogram" && !/_(seconds|bytes)$/.test(name)) wrong.push(`${place}: no unit`);
      if (!/^[A-Z].*\.$/.test(help)) wrong.push(`${place}: "${help}" is no sentence`);
      if ((helps.get(name) ?? help) !== help) wrong.push(`${place}: also "${helps.get(name)}"`);
      helps.set(name, help);
    }
  expect(wrong).toEqual([]);
  expect(helps.size).toBeGreaterThan(0);
});
