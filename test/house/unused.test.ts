import { expect, test } from "bun:test";

import { sources, target } from "./sources.ts";

/** Programs that a macro builds into the program: the console, for browsers. */
const MACROS: readonly string[] = ["admin/console/page/main.tsx"];

test("every file of src/ is part of the program, or of TcpServer", async () => {
  const all = new Map((await sources()).map((source) => [source.path, source]));
  const reached = new Set<string>();
  const walk = (path: string): void => {
    const source = all.get(path);
    if (source === undefined || reached.has(path)) return;
    reached.add(path);
    for (const name of source.imports) if (name.startsWith(".")) walk(target(source, name));
  };
  walk("main.ts");
  // What a program of its own is made with: see its README.
  walk("net/tcp-server/tcp-server.ts");
  for (const path of MACROS) walk(path);
  expect([...all.keys()].filter((path) => !reached.has(path))).toEqual([]);
});
