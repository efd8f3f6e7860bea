/** What responses are tagged with, and that a purge by any of it finds them. */
import { describe, expect, test } from "bun:test";

import { tagsOf } from "../../../../src/services/proxy/cache/entry.ts";
import { Bench } from "./bench.ts";

const ROWS: readonly { story: string; fields: Record<string, string>; tags: string[] }[] = [
  { story: "no field", fields: {}, tags: [] },
  { story: "a list with commas", fields: { "Cache-Tag": "news, all" }, tags: ["news", "all"] },
  {
    story: "a tag with a space",
    fields: { "Cache-Tag": "the news,all" },
    tags: ["the news", "all"],
  },
  { story: "holes in a list", fields: { "Cache-Tag": " ,news,, " }, tags: ["news"] },
  { story: "keys with spaces", fields: { "Surrogate-Key": "news  all" }, tags: ["news", "all"] },
  {
    story: "keys with commas, as some say them",
    fields: { "Surrogate-Key": "news, all" },
    tags: ["news", "all"],
  },
  {
    story: "both fields",
    fields: { "Cache-Tag": "one", "Surrogate-Key": "two three" },
    tags: ["one", "two", "three"],
  },
];

describe("tags", () => {
  test.each(ROWS)("$story", ({ fields, tags }) => {
    const named = Object.entries(fields).map(
      ([name, value]) => [name.toLowerCase(), value] as const,
    );
    expect(tagsOf(new Map(named))).toEqual(tags);
  });

  const purges = ROWS.flatMap(({ story, fields, tags }) => [
    ...tags.map((tag) => ({ story, fields, tag, heard: 2 })),
    { story, fields, tag: "other", heard: 1 },
  ]);
  test.each(purges)(
    "$story, purged by $tag: asked for $heard times",
    async ({ fields, tag, heard }) => {
      const headers = { "Cache-Control": "max-age=60", ...fields };
      const b = new Bench({}, () => ({ headers, body: "said" }));
      await b.get();
      b.wait(1);
      b.store.bans.add({ time: b.wall, kind: "tag", value: tag });
      b.wait(1);
      expect((await b.get()).text).toBe("said");
      expect(b.heard).toHaveLength(heard);
    },
  );
});
