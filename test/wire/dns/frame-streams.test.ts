import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { FrameSender, START, STOP } from "../../../src/wire/dns/frame-streams.ts";

const TYPE = new TextEncoder().encode("protobuf:dnstap.Dnstap");
const word = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const field = (bytes: Uint8Array, type = 1): number[] => [
  ...word(type),
  ...word(bytes.length),
  ...bytes,
];
const control = (type: number, ...fields: number[][]): Uint8Array => {
  const inside = [...word(type), ...fields.flat()];
  return Uint8Array.of(...word(0), ...word(inside.length), ...inside);
};

test("control frames are as fstrm writes them", () => {
  expect(START).toEqual(control(2, field(TYPE)));
  expect(STOP).toEqual(control(3));
  expect(new FrameSender().hello()).toEqual(control(4, field(TYPE)));
});

const OTHER = new TextEncoder().encode("protobuf:dnstap.Dnstop");
const ACCEPT = control(1, field(TYPE));

describe("what is said to what was heard", () => {
  test.each([
    { story: "it takes dnstap", heard: ACCEPT, state: "ready" },
    {
      story: "it takes that among others",
      heard: control(1, field(OTHER), field(TYPE)),
      state: "ready",
    },
    { story: "it takes whatever comes", heard: control(1), state: "ready" },
    {
      story: "the longest there is, all at once",
      heard: control(1, field(new Uint8Array(470)), field(TYPE)),
      state: "ready",
    },
    { story: "it takes something else", heard: control(1, field(OTHER)), state: "refused" },
    { story: "a field that we do not know", heard: control(1, field(TYPE, 7)), state: "refused" },
    {
      story: "a field that ends beyond the frame",
      heard: control(1, field(TYPE).slice(0, -1)),
      state: "refused",
    },
    { story: "it says FINISH at once", heard: control(5), state: "refused" },
    {
      story: "data, where there can be none",
      heard: Uint8Array.of(...word(4), 1, 2, 3, 4),
      state: "refused",
    },
    {
      story: "a control frame without a type",
      heard: Uint8Array.of(...word(0), ...word(0)),
      state: "refused",
    },
    {
      story: "one that is too long",
      heard: Uint8Array.of(...word(0), ...word(513)),
      state: "refused",
    },
    {
      story: "something else altogether",
      heard: new TextEncoder().encode("HTTP/1.1 400\r\n"),
      state: "refused",
    },
    { story: "not all of it yet", heard: ACCEPT.subarray(0, -1), state: "greeting" },
    { story: "nothing yet", heard: new Uint8Array(), state: "greeting" },
  ] as const)("$story: $state", ({ heard, state }) => {
    for (const step of [1, 5, heard.length || 1]) {
      const sender = new FrameSender();
      const said: number[] = [];
      for (let at = 0; at < heard.length; at += step)
        said.push(...sender.feed(heard.subarray(at, at + step)));
      expect(sender.state).toBe(state);
      expect(said).toEqual(state === "ready" ? [...START] : []);
    }
  });

  test("what comes later changes nothing", () => {
    const sender = new FrameSender();
    sender.feed(ACCEPT);
    expect(sender.feed(control(5))).toHaveLength(0);
    expect(sender.state).toBe("ready");
  });

  test("whatever comes, nothing is thrown, and only ACCEPT makes it ready", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        const sender = new FrameSender();
        const said = chunks.flatMap((chunk) => [...sender.feed(chunk)]);
        expect(said.length > 0).toBe(sender.state === "ready");
      }),
    );
  });
});
