import { expect, test } from "bun:test";

import { flowBody } from "../../../src/net/fronts/flow-body.ts";
import type { Flow, FlowSink } from "../../../src/wire/http/message.ts";

/** A flow that tells what it is made to. */
class Told implements Flow {
  sink: FlowSink | undefined;
  resumed = 0;
  cancelled = 0;
  /** What `write` answered. */
  readonly wanted: boolean[] = [];
  readonly #first: (flow: Told) => void;

  constructor(first: (flow: Told) => void) {
    this.#first = first;
  }

  start(sink: FlowSink): void {
    this.sink = sink;
    this.#first(this);
  }
  resume(): void {
    this.resumed++;
  }
  cancel(): void {
    this.cancelled++;
  }

  say(text: string): void {
    const bytes = Buffer.from(`<${text}>`);
    this.wanted.push(this.sink?.write(bytes, 1, bytes.length - 1) ?? false);
    bytes.fill(0); // they were good until then
  }
}

test.each([
  { story: "in one piece", pieces: ["hello"] },
  { story: "in several", pieces: ["he", "l", "lo"] },
  { story: "of nothing", pieces: [] },
])("a body that is here, $story, is bytes", ({ pieces }) => {
  const flow = new Told((it) => {
    for (const piece of pieces) it.say(piece);
    it.sink?.end();
  });
  const body = flowBody(flow);
  expect(body).not.toBeInstanceOf(ReadableStream);
  expect(Buffer.from(body as Uint8Array).toString()).toBe(pieces.join(""));
});

test.each([
  { story: "nothing is here yet", before: [], after: ["hel", "lo"] },
  { story: "some of it is here", before: ["hel"], after: ["lo"] },
  { story: "all but its end is here", before: ["hello"], after: [] },
])("$story: a stream", async ({ before, after }) => {
  const flow = new Told((it) => {
    for (const piece of before) it.say(piece);
  });
  const body = flowBody(flow);
  expect(body).toBeInstanceOf(ReadableStream);
  const text = new Response(body as ReadableStream<Uint8Array>).text();
  for (const piece of after) flow.say(piece);
  flow.sink?.end();
  expect(await text).toBe("hello");
});

test("what breaks off before there is a reader breaks off for the reader", async () => {
  const flow = new Told((it) => {
    it.say("hel");
    it.sink?.fail(new Error("gone"));
  });
  const text = new Response(flowBody(flow) as ReadableStream<Uint8Array>).text();
  await expect(text).rejects.toThrow("gone");
});

test("what breaks off later, too", async () => {
  const flow = new Told((it) => it.say("hel"));
  const text = new Response(flowBody(flow) as ReadableStream<Uint8Array>).text();
  flow.sink?.fail(new Error("gone"));
  await expect(text).rejects.toThrow("gone");
});

test("a flow is held back until somebody reads, and goes on then", async () => {
  const flow = new Told((it) => {
    it.say("x".repeat(100_000));
    it.say("x".repeat(100_000));
  });
  const reader = (flowBody(flow) as ReadableStream<Uint8Array>).getReader();
  expect(flow.wanted).toEqual([true, false]);
  expect((await reader.read()).value?.length).toBe(100_000);
  expect(flow.resumed).toBe(1);
  flow.say("y");
  expect((await reader.read()).value?.length).toBe(100_000);
  expect((await reader.read()).value?.length).toBe(1);
});

test("a stream that nobody wants cancels its flow", async () => {
  const flow = new Told(() => {});
  await (flowBody(flow) as ReadableStream<Uint8Array>).cancel();
  expect(flow.cancelled).toBe(1);
});
