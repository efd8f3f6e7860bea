import { describe, expect, test } from "bun:test";

import { History, key, total } from "../../../src/admin/console/page/state/history.ts";

/** A sample a second, from a time that is not the beginning of time. */
function watched(...values: readonly (number | object | undefined)[]): History {
  const history = new History();
  values.forEach((value, i) => {
    if (value !== undefined) history.push(1e6 + i * 1000, { web: value });
  });
  return history;
}
const WEB = key("web");

describe("how fast a figure grows", () => {
  test.each([
    { story: "nothing is known of one", values: [5], rates: [] },
    { story: "by how much each second", values: [5, 7, 10], rates: [2, 3] },
    { story: "a worker was replaced", values: [50, 3, 4], rates: [0, 1] },
    { story: "two seconds apart", values: [5, undefined, 9], rates: [2] },
    {
      story: "a gap is unknown",
      values: [5, 6, undefined, undefined, undefined, undefined, undefined, undefined, 9, 10],
      rates: [1, Number.NaN, Number.NaN, 1],
    },
  ])("$story", ({ values, rates }) => {
    expect([...watched(...values).rate(WEB)]).toEqual([...rates]);
  });
});

test("figures are found by their path, whatever is in a name", () => {
  const history = watched({ "a/b": { open: 1 } }, { "a/b": { open: 4 } });
  expect([...history.gauge(key("web", "a/b", "open"))]).toEqual([1, 4]);
  expect(history.pace(key("web", "a/b", "open"))).toBe(3);
  expect([...history.gauge(key("web", "a", "b", "open"))]).toEqual([]);
});

test("what is no longer shown is forgotten", () => {
  const history = watched({ a: 1, b: 2 }, { b: 3 });
  expect([...history.gauge(key("web", "a"))]).toEqual([]);
  expect([...history.gauge(key("web", "b"))]).toEqual([2, 3]);
});

test("a sample right after another says nothing", () => {
  const history = new History();
  history.push(1000, { web: 1 });
  history.push(1010, { web: 100 });
  expect([...history.gauge(WEB)]).toEqual([1]);
});

test("how much of one for each of another", () => {
  const history = watched({ ms: 0, n: 0 }, { ms: 10, n: 5 }, { ms: 10, n: 5 });
  expect([...history.ratio(key("web", "ms"), key("web", "n"))]).toEqual([2, Number.NaN]);
});

test("sums are of the same moments, as far as they are known", () => {
  const series = [[1, 2, 3], [10], [Number.NaN, 5]].map((s) => Float32Array.from(s));
  expect([...total(series)]).toEqual([1, 2, 18]);
});

test("five minutes are kept", () => {
  const history = watched(...Array.from({ length: 400 }, (_, i) => i));
  const seen = history.gauge(WEB);
  expect([seen.length, seen[0], seen.at(-1)]).toEqual([300, 100, 399]);
});
