import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";

import { served } from "../dav/served.ts";

test.each([
  { story: "a file", again: 200 },
  { story: "one that ends by itself", fields: { "X-Delete-After": "60" }, again: 404 },
  { story: "where not everybody may read", keys: { read_permit: "127.0.0.1" }, again: 404 },
])("sent a moment ago, without looking for it: $story", async ({ fields = {}, keys, again }) => {
  await using it = await served(keys);
  const url = `${it.url}/a.txt`;
  const put = (body: string) => fetch(url, { method: "PUT", body, headers: fields as HeadersInit });
  expect((await put("one")).status).toBe(201);
  const first = await fetch(url);
  expect(await first.text()).toBe("one");
  // Behind our back, in the same second: only who looks for it sees that it is gone.
  for (const root of it.roots)
    for (const at of ["_3fs_0", "_3fs_0.records"])
      rmSync(join(root, at), { recursive: true, force: true });
  const second = await fetch(url);
  expect(second.status).toBe(again);
  if (again === 200) {
    expect(await second.text()).toBe("one");
    const without = (headers: Headers) => [...headers].filter(([name]) => name !== "date");
    expect(without(second.headers)).toEqual(without(first.headers));
  }
  // What goes through us is seen at once.
  expect((await put("two")).status).toBe(201);
  expect(await (await fetch(url)).text()).toBe("two");
  expect(await (await fetch(url)).text()).toBe("two");
  expect((await fetch(url, { method: "DELETE" })).status).toBe(204);
  expect((await fetch(url)).status).toBe(404);
});
