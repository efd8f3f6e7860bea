import { expect, test } from "bun:test";

import { StuckClients } from "../../src/app/stuck-clients.ts";
import { FakeClock } from "../fake/clock.ts";

const stuck = (client: string, server: string, expire = 1000) => ({
  pool: "app",
  client,
  server,
  expire,
});

test("what was told last counts, for as long as it holds", async () => {
  const clock = new FakeClock();
  const clients = new StuckClients(clock, [stuck("kim", "a:1"), stuck("ann", "a:1", 5000)]);
  clients.hear([{ ...stuck("kim", "b:1"), pool: "other" }, stuck("kim", "c:1")]);
  expect(clients.all.map(({ pool, client, server }) => `${pool} ${client} ${server}`)).toEqual([
    "app ann a:1",
    "other kim b:1",
    "app kim c:1",
  ]);
  await clock.advance(1000);
  expect(clients.all.map(({ client }) => client)).toEqual(["ann"]);
});

test("no more than a hundred thousand", () => {
  const clients = new StuckClients(new FakeClock());
  for (let i = 0; i < 101; i++)
    clients.hear(Array.from({ length: 1000 }, (_, j) => stuck(`${i * 1000 + j}`, "a:1")));
  const { all } = clients;
  expect([all.length, all[0]?.client]).toEqual([100_000, "1000"]);
});
