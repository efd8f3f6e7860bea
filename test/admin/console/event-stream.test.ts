import { expect, test } from "bun:test";

import fc from "fast-check";

import { EventStream } from "../../../src/admin/console/page/state/event-stream.ts";

test.each([
  { story: "an event of a kind", text: "event: log\ndata: 1\n\n", events: [["log", "1"]] },
  { story: "without a kind it is a message", text: "data: 1\n\n", events: [["message", "1"]] },
  { story: "lines are joined", text: "data: a\ndata: b\n\n", events: [["message", "a\nb"]] },
  { story: "one space belongs to the colon", text: "data:  a\n\n", events: [["message", " a"]] },
  { story: "a comment keeps the line open", text: ": hello\n\n", events: [] },
  {
    story: "an id and a wish are not ours",
    text: "retry: 2\n\nid: 3\ndata: x\n\n",
    events: [["message", "x"]],
  },
  { story: "what has not ended has not come", text: "data: 1\n", events: [] },
  { story: "lines may end as in HTTP", text: "event: a\r\ndata: 1\r\n\r\n", events: [["a", "1"]] },
  {
    story: "a kind is for one event",
    text: "event: a\ndata: 1\n\ndata: 2\n\n",
    events: [
      ["a", "1"],
      ["message", "2"],
    ],
  },
])("$story", ({ text, events }) => {
  expect(new EventStream().feed(text).map((e) => [e.event, e.data])).toEqual(
    events.map((e) => [...e]),
  );
});

test("where the pieces are cut does not matter", () => {
  const line = fc.stringMatching(/^[a-z:"{} ]{0,12}$/);
  const event = fc.record({ event: fc.stringMatching(/^[a-z]{1,5}$/), data: line });
  fc.assert(
    fc.property(fc.array(event), fc.array(fc.nat(200)), (events, cuts) => {
      const text = events.map((e) => `event: ${e.event}\ndata: ${e.data}\n\n`).join("");
      const stream = new EventStream();
      const at = [...new Set(cuts)].sort((a, b) => a - b).filter((cut) => cut < text.length);
      const pieces = [0, ...at].map((from, i) => text.slice(from, at[i] ?? text.length));
      expect(pieces.flatMap((piece) => stream.feed(piece))).toEqual(events);
    }),
  );
});
