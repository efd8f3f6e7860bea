import { expect, test } from "bun:test";

import { FileCache, MAX_CACHED } from "../../../src/services/store/file-cache.ts";
import { rig } from "./rig.ts";

/** What of members' data was read since the last time this was called. */
function dataRead({ members }: { members: readonly { readonly diary: string[] }[] }): string[] {
  return members.flatMap(({ diary }) =>
    diary.splice(0).filter((line) => line.startsWith("read ") && !line.includes(".records/")),
  );
}

/** Members that are read in the usual way, so that what is asked of them is in their diaries. */
async function cached(budget = 2 ** 20) {
  const it = await rig({ cache: new FileCache(budget) });
  for (const member of it.members) member.fault = { cutAfter: Infinity };
  return it;
}

test("a small file that was read is not read again, and is what was written last", async () => {
  await using it = await cached();
  for (const text of ["one", "two", "three"]) {
    expect(await it.put("/a", text)).toBe("kept");
    dataRead(it);
    expect(String(await it.get("/a"))).toBe(text);
    expect(dataRead(it)).toHaveLength(1);
    expect(String(await it.get("/a"))).toBe(text);
    expect(String(await it.get("/a", 1, 2))).toBe(text.slice(1, 2));
    expect(dataRead(it)).toEqual([]);
  }
  expect(await it.remove("/a")).toBe("kept");
  expect(await it.get("/a")).toBe("deleted");
});

test("what another router writes is read, not what is remembered", async () => {
  await using it = await cached();
  expect(await it.put("/a", "one")).toBe("kept");
  expect(String(await it.get("/a"))).toBe("one");
  await using other = await it.beside();
  expect(await other.put("/a", "two")).toBe("kept");
  expect(String(await it.get("/a"))).toBe("two");
  expect(await other.remove("/a")).toBe("kept");
  expect(await it.get("/a")).toBe("deleted");
});

test("with too few records nothing that is remembered is sent", async () => {
  await using it = await cached();
  expect(await it.put("/a", "one")).toBe("kept");
  expect(String(await it.get("/a"))).toBe("one");
  for (const member of it.members) member.fault = "away";
  expect(await it.get("/a")).toBe("unsure");
});

test.each([
  { story: "as long as it may be", size: MAX_CACHED, budget: 2 ** 20, kept: 1 },
  { story: "longer", size: MAX_CACHED + 1, budget: 2 ** 20, kept: 0 },
  { story: "more than there is room for", size: 5000, budget: 4000, kept: 0 },
  { story: "empty", size: 0, budget: 4000, kept: 0 },
])("a file that is $story", async ({ size, budget, kept }) => {
  const cache = new FileCache(budget);
  await using it = await rig({ cache });
  expect(await it.put("/a", new Uint8Array(size))).toBe("kept");
  expect(await it.get("/a")).toHaveLength(size);
  expect(cache.figures.files).toBe(kept);
});

test("as many are remembered as there is room for", async () => {
  const cache = new FileCache(100_000);
  await using it = await rig({ cache });
  for (let i = 0; i < 30; i++) {
    expect(await it.put(`/${i}`, new Uint8Array(10_000).fill(i))).toBe("kept");
    expect(await it.get(`/${i}`)).toEqual(Buffer.alloc(10_000, i));
  }
  expect(cache.figures.bytes).toBeLessThanOrEqual(100_000);
  expect(cache.figures.files).toBeGreaterThan(5);
});
