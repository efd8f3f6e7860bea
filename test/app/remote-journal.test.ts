import { expect, test } from "bun:test";

import type { Logged } from "../../src/app/messages.ts";
import { RemoteJournal } from "../../src/app/remote-journal.ts";

function made() {
  const told: Logged[] = [];
  return { told, journal: new RemoteJournal((logged) => told.push(logged)) };
}

test("what a worker logs is told, without secrets and in plain JSON", () => {
  const { told, journal } = made();
  journal.add(
    "warn",
    "ejected",
    { worker: 1, error: new Error("refused"), token: "hunter2" },
    5000,
  );
  journal.add("debug", "noise", {}, 5000);
  expect(told).toMatchObject([
    {
      level: "warn",
      message: "ejected",
      fields: { worker: 1, error: "refused", token: "***" },
      at: 5000,
    },
  ]);
});

test("a storm is not told line by line, but that there was one", () => {
  const { told, journal } = made();
  for (let i = 0; i < 1000; i++) journal.add("error", "again", {}, 1000 + i);
  expect(told.length).toBeLessThan(130);
  journal.add("error", "later", {}, 10_000);
  expect(told.at(-1)).toMatchObject({ message: "later", fields: { left_out: expect.any(Number) } });
});
