import { expect, test } from "bun:test";

import { Relayed, ResponseLines } from "../../../src/services/proxy/response-lines.ts";
import { parseReply, Reply } from "../../../src/wire/http1/reply.ts";

const reply = new Reply();
const plain = ResponseLines.for({});

/** What becomes of a server's answer with these lines. */
function relayed(lines: string): Relayed {
  const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${lines}\r\n`, "latin1");
  expect(parseReply(bytes, 0, bytes.length, reply, "other", 16 * 1024)).toBe(bytes.length);
  const length = plain?.of(reply, "GET") ?? -1;
  expect(length).toBeGreaterThan(0);
  bytes.fill(0); // the buffer is for others, from now on
  return new Relayed(200, length, { kind: "none" }, "s1", 7);
}

/** What is sent of it. */
function sent(response: Relayed): string {
  const into = new Uint8Array(response.lines.length + 4);
  response.lines.copyTo(into, 2);
  expect([...into.subarray(0, 2), ...into.subarray(-2)]).toEqual([0, 0, 0, 0]);
  return Buffer.from(into.subarray(2, -2)).toString("latin1");
}

const DATE = "Date: Mon, 23 Nov 2026 00:00:00 GMT\r\n";
const first = `${DATE}X-Is: first\r\n`;
const second = `${DATE}X-Is: second, and longer than what was there before it\r\n`;

test("lines that are sent at once are those that came", () => {
  expect(sent(relayed(first))).toBe(first);
  expect(sent(relayed(second))).toBe(second);
});

test("lines that wait are not those of who came after them", () => {
  const one = relayed(first);
  const two = relayed(second);
  const three = relayed(first);
  expect(sent(two)).toBe(second);
  expect(sent(one)).toBe(first);
  expect(sent(three)).toBe(first);
});

test("fields are the lines' however late they are asked for", () => {
  const one = relayed(first);
  const [early, two] = [one.headers, relayed(second)];
  const late = two.headers;
  expect(early.at(-1)).toEqual(["X-Is", "first"]);
  expect(late.at(-1)?.[0]).toBe("X-Is");
  expect([sent(one), sent(two)]).toEqual([first, second]);
  expect(one.headers).toBe(early);
});

test("who has sent the lines cannot read another one's fields", () => {
  const one = relayed(first);
  sent(one);
  relayed(second);
  expect(() => one.headers).toThrow("taken");
});

test("the access log hears whose answer it is", () => {
  expect(relayed(first).upstream).toEqual({ server: "s1", ms: 7 });
});
