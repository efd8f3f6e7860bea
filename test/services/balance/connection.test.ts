/** One client on its way to a server, with a dialer that is a script. */
import { expect, test } from "bun:test";

import type { ConnectFailure } from "../../../src/net/pools/pool.ts";
import type { Balancer } from "../../../src/services/balance/balancer.ts";
import { Connection } from "../../../src/services/balance/connection.ts";
import { FakePool, FakeServer } from "../../fake/pools.ts";

type Word = ConnectFailure | "exhausted";

/** What the dialer says at once, or a number and then that. */
function dialled(word: Word, late: boolean) {
  const pool = new FakePool("app", [new FakeServer("s0", 1), new FakeServer("s1", 2)]);
  const ends: unknown[] = [];
  const client: Connection = new Connection(
    {
      config: { send_proxy: "off", connect_timeout: 1000 },
      destination: ({ host, port }: FakeServer) => ({ host, port }),
      dialer: { dial: () => (late ? 1 : word), cancel: () => {} },
      way: { drop: () => {} },
      left: (_: Connection, why: unknown) => ends.push(why),
    } as unknown as Balancer,
    1,
    -1,
    { address: "192.0.2.1", port: 4711 } as Connection["remote"],
    0,
  );
  client.proceed(pool);
  for (let i = 0; late && client.step === "dialling" && i < 5; i++) client.unreachable(word);
  return { ends, pool, client };
}

test.each([
  { word: "exhausted", late: false, asked: 0, blamed: 0, end: "exhausted" },
  { word: "exhausted", late: true, asked: 1, blamed: 0, end: "exhausted" },
  { word: "refused", late: false, asked: 2, blamed: 2, end: "no server" },
  { word: "refused", late: true, asked: 2, blamed: 2, end: "no server" },
] as const)("$word, said late: $late", ({ word, late, asked, blamed, end }) => {
  const { ends, pool, client } = dialled(word, late);
  const diary = pool.servers.flatMap((one) => one.diary);
  expect(diary.filter((line) => line === "connecting")).toHaveLength(asked);
  expect(diary.filter((line) => line.startsWith("failed"))).toHaveLength(blamed);
  expect(pool.servers.map(({ open }) => open)).toEqual([0, 0]);
  expect([ends, client.step]).toEqual([[end], "over"]);
});
