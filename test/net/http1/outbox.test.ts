import { expect, test } from "bun:test";

import { Outbox } from "../../../src/net/http1/outbox.ts";
import { Session } from "../../../src/net/http1/session.ts";
import type { HttpResponse } from "../../../src/wire/http/message.ts";
import { FakeReception } from "../../fake/reception.ts";
import { FakeTransport } from "../../fake/transport.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

// All sessions of a thread gather in one place.
test.each([
  { story: "put", put: (out: Outbox, text: string) => out.put(bytes(text)) },
  { story: "putRange", put: (out: Outbox, text: string) => out.putRange(bytes(text), 0, 3) },
  { story: "sendNow", put: (out: Outbox, text: string) => out.sendNow(bytes(text), 0, 3) },
  {
    story: "putCopy",
    put: (out: Outbox, text: string) =>
      out.putCopy({ length: 3, copyTo: (into, at) => into.set(bytes(text), at) }),
  },
])("what two sessions gather in one turn goes to each its own: $story", ({ put }) => {
  const [one, two] = [new FakeTransport(), new FakeTransport()];
  const [first, second] = [new Outbox(one), new Outbox(two)];
  first.put(bytes("to one;"));
  put(second, "two");
  second.flush(false);
  put(first, "and");
  second.flush(false);
  first.flush(false);
  expect([one.text, two.text]).toEqual(["to one;and", "two"]);
});

test("a session that breaks takes none of another's bytes with it", () => {
  const [one, two] = [new FakeTransport(), new FakeTransport()];
  const [first, second] = [new Outbox(one), new Outbox(two)];
  first.put(bytes("to one"));
  second.drop();
  first.flush(false);
  expect(one.text).toBe("to one");
});

test("the end of a stream reaches its own client while others are answered", async () => {
  const streamed = (): HttpResponse => ({
    status: 200,
    headers: [],
    body: { kind: "stream", stream: new Blob(["x"]).stream() },
  });
  const clients = Array.from({ length: 50 }, () => {
    const transport = new FakeTransport();
    const session = new Session(new FakeReception({ handler: streamed }), transport, 0);
    return { transport, session };
  });
  const ask = bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  for (const { session } of clients) session.feed(ask, 0, ask.length);
  await Bun.sleep(20);
  for (const { transport } of clients)
    expect(transport.text.slice(transport.text.indexOf("\r\n\r\n"))).toBe(
      "\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    );
});
