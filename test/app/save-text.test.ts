import { describe, expect, test } from "bun:test";

import { byText, RunningText } from "../../src/app/running-text.ts";
import { planSave } from "../../src/app/save-text.ts";

const FILE = "# ours\na: 1 # one\nb: [x]\n";
const OURS = FILE.replace("1 #", "2 #");

/** What runs after `a` was set to 2. */
function changed(): RunningText {
  const running = new RunningText(FILE);
  const change = byText("ann", "a", OURS);
  running.amended(change.amend(FILE), 5, change);
  return running;
}
const fine = () => undefined;

describe("what a save writes", () => {
  test.each([
    { story: "the text that runs", disk: FILE, plan: { kind: "write", text: OURS, notes: [] } },
    { story: "nothing, when it is there", disk: OURS, plan: { kind: "same", notes: [] } },
    {
      story: "our changes in what somebody else wrote",
      disk: "# theirs\na: 1 # one\nb: [x, y]\n",
      plan: { kind: "write", text: "# theirs\na: 2 # one\nb: [x, y]\n" },
    },
    {
      story: "nothing, when they made the same change among others",
      disk: "a: 2\nc: 3\n",
      plan: { kind: "same" },
    },
  ])("$story", ({ disk, plan }) => {
    expect(planSave(disk, changed(), false, fine)).toMatchObject(plan);
  });

  test("what somebody else changed stays theirs at the next save, too", () => {
    const running = changed();
    const disk = `${FILE}c: 3\n`;
    const first = planSave(disk, running, false, fine);
    running.saved();
    const saved = first.kind === "write" ? first.text : "";
    expect(saved).toBe(`${OURS}c: 3\n`);
    expect(planSave(saved, running, false, fine)).toMatchObject({ kind: "same" });
    const change = byText("ann", "b", OURS.replace("[x]", "[z]"));
    running.amended(change.amend(OURS), 6, change);
    const next = planSave(saved, running, false, fine);
    expect(next).toMatchObject({ kind: "write", text: "# ours\na: 2 # one\nb: [z]\nc: 3\n" });
  });
});

describe("what is refused", () => {
  test.each([
    { story: "the place is gone", disk: "a: [\n", valid: fine, why: "no good YAML" },
    {
      story: "the result would be wrong",
      disk: "a: 1\nb: wrong\n",
      valid: () => "tern.yaml:2:4: b: no",
      why: "tern.yaml:2:4: b: no",
    },
  ])("$story", ({ disk, valid, why }) => {
    const running = changed();
    const plan = planSave(disk, running, false, valid);
    const said = plan.kind === "conflict" ? plan.why : "";
    expect(said).toContain(why);
    expect(said).toContain("force to write over it");
    expect(planSave(disk, running, true, valid)).toMatchObject({ kind: "write", text: OURS });
  });
});

test("with nothing to save, what somebody else wrote is left alone", () => {
  const plan = planSave("a: 3\n", new RunningText(FILE), false, fine);
  expect(plan).toMatchObject({ kind: "same", notes: [expect.stringContaining("tern reload")] });
});
