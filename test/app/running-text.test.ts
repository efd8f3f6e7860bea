import { expect, test } from "bun:test";

import { byEdits, RunningText } from "../../src/app/running-text.ts";

const FILE = "pools: { a: 0 }   # ours\nlog: info\n";

/** Change one number so many times. */
function changed(times: number): RunningText {
  const running = new RunningText(FILE);
  for (let n = 1; n <= times; n++) {
    const one = byEdits("ann", `a is ${n}`, () => [
      { kind: "set", path: ["pools", "a"], value: n },
    ]);
    running.amended(one.amend(running.text), n, one);
  }
  return running;
}

test("a script that changes something every minute does not fill the memory", () => {
  const { unsaved } = changed(410);
  expect(unsaved.length).toBeLessThanOrEqual(200);
  expect(unsaved.at(-1)).toMatchObject({ at: 410, who: "ann", what: "a is 410" });
  expect(unsaved.at(0)?.at).toBe(410 - unsaved.length + 1);
});

test.each([1, 199, 200, 201, 333])(
  "after %d changes all of them can be saved to another text",
  (times) => {
    const running = changed(times);
    expect(running.appliedTo("# theirs\npools: { a: 0 }\nlog: warn\n")).toBe(
      `# theirs\npools: { a: ${times} }\nlog: warn\n`,
    );
  },
);

test("what was taken back by hand needs no saving", () => {
  const running = changed(333);
  const back = byEdits("bob", "a is 0", () => [{ kind: "set", path: ["pools", "a"], value: 0 }]);
  running.amended(back.amend(running.text), 1, back);
  expect([running.text, running.unsaved]).toEqual([FILE, []]);
});
