import { describe, expect, test } from "bun:test";

import { Session } from "../../../src/net/http1/session.ts";
import type { Flow, FlowSink } from "../../../src/wire/http/message.ts";
import { FakeReception } from "../../fake/reception.ts";
import { FakeTransport } from "../../fake/transport.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));
const H = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** A body that comes when the test says so. */
class FakeFlow implements Flow {
  readonly heard: string[] = [];
  sink: FlowSink | undefined;
  start(sink: FlowSink): void {
    this.sink = sink;
  }
  resume(): void {
    this.heard.push("resume");
  }
  cancel(): void {
    this.heard.push("cancel");
  }
  /** The bytes are spoilt as soon as the sink has returned. */
  say(text: string): boolean {
    const all = bytes(`<${text}>`);
    const more = this.sink?.write(all, 1, all.length - 1) ?? false;
    all.fill(35);
    return more;
  }
}

async function open(length?: number, asked = H) {
  const flow = new FakeFlow();
  const front = new FakeReception({
    handler: async () => ({
      status: 200,
      headers: [],
      body: { kind: "flow", flow, ...(length !== undefined && { length }) },
    }),
  });
  const transport = new FakeTransport();
  const session = new Session(front, transport, 0);
  session.feed(bytes(asked), 0, asked.length);
  await settle();
  const body = (): string => transport.text.slice(transport.text.indexOf("\r\n\r\n") + 4);
  return { flow, front, transport, session, body };
}

describe("a body that flows", () => {
  test("with a length goes as it is, and the connection goes on", async () => {
    const { flow, transport, session, body, front } = await open(5);
    expect(transport.text).toContain("Content-Length: 5\r\n");
    expect(flow.say("he")).toBe(true);
    expect(body()).toBe("he");
    flow.say("llo");
    flow.sink?.end();
    expect(body()).toBe("hello");
    expect(front.mount.inHand).toBe(0);
    session.feed(bytes(H), 0, H.length);
    await settle();
    expect(transport.text.match(/HTTP\/1.1 200/g)).toHaveLength(2);
  });

  test("without a length goes in chunks", async () => {
    const { flow, body, transport } = await open();
    flow.say("hello");
    expect(body()).toBe("5\r\nhello\r\n");
    flow.sink?.end();
    expect(body()).toBe("5\r\nhello\r\n0\r\n\r\n");
    expect(transport.state).toBe("open");
  });

  test.each([
    { story: "with a length", length: 10, body: "0123456789" },
    { story: "in chunks", length: undefined, body: "a\r\n0123456789\r\n" },
  ])("what is lent waits for a slow client where it is, $story", async ({ length, body: is }) => {
    const { flow, body, transport, session } = await open(length);
    const lent = bytes("<0123456789>");
    transport.room = 5;
    expect(flow.sink?.lend?.(lent, 1, 11)).toBe(false);
    lent[10] = "!".charCodeAt(0);
    transport.room = 3;
    session.writable();
    expect(flow.heard).toEqual([]);
    lent[10] = "9".charCodeAt(0);
    transport.room = Infinity;
    session.writable();
    expect(flow.heard).toEqual(["resume"]);
    lent.fill(35);
    expect(body()).toBe(is);
  });

  test("to HTTP/1.0 ends with the connection", async () => {
    const { flow, body, transport } = await open(undefined, "GET / HTTP/1.0\r\n\r\n");
    flow.say("hello");
    flow.sink?.end();
    expect([body(), transport.state]).toEqual(["hello", "closed"]);
  });

  test("is held back by a slow client, and nothing is lost", async () => {
    const { flow, transport, session, body } = await open(10);
    transport.room = 3;
    expect(flow.say("hello")).toBe(false);
    expect(transport.writing).toBe(true);
    expect(flow.heard).toEqual([]);
    transport.room = 1;
    session.writable();
    expect(flow.heard).toEqual([]);
    transport.room = Infinity;
    session.writable();
    expect(flow.heard).toEqual(["resume"]);
    flow.say("world");
    flow.sink?.end();
    expect(body()).toBe("helloworld");
  });

  test.each([
    { story: "longer than it was said to be", length: 3, end: "none" },
    { story: "shorter than it was said to be", length: 9, end: "end" },
    { story: "broken off", length: 9, end: "fail" },
    { story: "broken off in chunks", length: undefined, end: "fail" },
  ] as const)("$story breaks the connection", async ({ length, end }) => {
    const { flow, transport, front } = await open(length);
    flow.say("hello");
    if (end === "end") flow.sink?.end();
    if (end === "fail") flow.sink?.fail(new Error("gone"));
    expect(transport.state).toBe("aborted");
    expect(transport.text).not.toContain("0\r\n\r\n");
    expect(front.mount.inHand).toBe(0);
    expect(front.troubles).toEqual([]);
    expect(flow.heard).toEqual(end === "none" ? ["cancel"] : []);
  });

  test("is given up when the client leaves", async () => {
    const { flow, session, front } = await open();
    flow.say("hello");
    session.broken();
    expect(flow.heard).toEqual(["cancel"]);
    expect(flow.say("more")).toBe(false);
    expect(front.mount.inHand).toBe(0);
  });

  test("is not wanted by HEAD", async () => {
    const { flow, transport } = await open(5, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(flow.heard).toEqual(["cancel"]);
    expect(transport.text).toContain("Content-Length: 5\r\n\r\n");
  });
});
