import { expect, test } from "bun:test";

import { Channel } from "../../src/app/channel.ts";

type Sums = { add: { ask: readonly number[]; answer: number }; fail: { ask: null; answer: null } };
type Nothing = Record<never, never>;

/** Two ends, each message through JSON as between processes. */
function pair() {
  const over = (message: unknown): unknown => JSON.parse(JSON.stringify(message));
  const asks: Channel<Sums, Nothing> = new Channel<Sums, Nothing>(
    (m) => answers.receive(over(m)),
    {},
  );
  const answers: Channel<Nothing, Sums> = new Channel<Nothing, Sums>((m) => asks.receive(over(m)), {
    add: async (numbers) => {
      await Bun.sleep(numbers[0] ?? 0);
      return numbers.reduce((a, b) => a + b, 0);
    },
    fail: () => {
      throw new Error("bind :80: EACCES");
    },
  });
  return { asks, answers };
}

test("answers find their questions, in whatever order they come", async () => {
  const { asks } = pair();
  const all = [asks.call("add", [5, 1]), asks.call("add", [0, 2]), asks.call("add", [2, 3])];
  expect(await Promise.all(all)).toEqual([6, 2, 5]);
});

test("an error crosses as its message", () => {
  expect(pair().asks.call("fail", null)).rejects.toThrow("bind :80: EACCES");
});

test("a question nobody answers is an error, not a silence", () => {
  const { asks } = pair();
  expect(asks.call("nonsense" as "fail", null)).rejects.toThrow("nobody here answers");
});

test("when the other end is gone, what was asked fails, and what is asked later too", async () => {
  const { asks } = pair();
  const asked = asks.call("add", [50, 1]);
  asks.close(new Error("worker 1 ended: signal SIGKILL"));
  expect(asked).rejects.toThrow("signal SIGKILL");
  expect(asks.call("add", [1])).rejects.toThrow("signal SIGKILL");
});
