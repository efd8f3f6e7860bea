import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";

import { type Served, served } from "./dav/served.ts";

let it: Served;
beforeAll(async () => {
  it = await served();
  await fetch(`${it.url}/there`, { method: "PUT", body: "there" });
});
afterAll(() => it[Symbol.asyncDispose]());

/** The status line's number of the first answer; 0 when there is none. */
function say(text: string): Promise<number> {
  return new Promise((told) => {
    const socket = connect(it.port, "127.0.0.1", () => socket.write(text));
    socket.once("data", (bytes) => {
      told(Number(/^HTTP\/1\.1 (\d{3}) /.exec(bytes.toString("latin1"))?.[1] ?? 0));
      socket.destroy();
    });
    socket.once("error", () => told(0));
    socket.once("close", () => told(0));
  });
}

const LONG = "x".repeat(300);
const HOST = "Host: a\r\n";

test.each([
  { story: "no Host", target: "/a", host: "", status: 400 },
  { story: "two Hosts", target: "/a", host: HOST + HOST, status: 400 },
  { story: "no Host, as HTTP/1.0 may", target: "/b", host: "", version: "1.0", status: 201 },
  { story: "a stage that is no number", target: "/_3fs_x/a", status: 404 },
  { story: "a stage without a number", target: "/_3fs_/a", status: 404 },
  { story: "a stage below zero", target: "/_3fs_-1/a", status: 404 },
  { story: "a stage that is not there", target: "/_3fs_7/a", status: 404 },
  { story: "a stage beyond counting", target: `/_3fs_${"9".repeat(40)}/a`, status: 404 },
  { story: "a stage alone", target: "/_3fs_0", status: 404 },
  { story: "records of a stage", target: "/_3fs_0.records/abc", status: 404 },
  { story: "a name of ours", target: "/_tern.collection", status: 404 },
  { story: "a name that no disk can have", target: `/${LONG}`, status: 414 },
  {
    story: "a path that no disk can have",
    target: `/_3fs_0${`/${"y".repeat(200)}`.repeat(25)}`,
    status: 414,
  },
  { story: "a NUL", target: "/a%00b", status: 400 },
  { story: "an escape that is none", target: "/a%zz", status: 400 },
  { story: "a file as a directory", target: "/there/below", status: 409 },
  { story: "no path at all", target: "*", status: 400 },
])(
  "PUT with $story: $status, and it listens on",
  async ({ target, host = HOST, version = "1.1", status }) => {
    const head = `PUT ${target} HTTP/${version}\r\n${host}Content-Length: 2\r\n\r\n`;
    expect(await say(`${head}hi`)).toBe(status);
    expect(await (await fetch(`${it.url}/there`)).text()).toBe("there");
  },
);

test.each([
  { story: "a name that no disk can have", target: `/new-${LONG}`, status: 414 },
  { story: "a file as a directory", target: "/there/new", status: 409 },
])("a PUT refused for $story leaves nothing behind", async ({ target, status }) => {
  const put = await fetch(`${it.url}${target}`, { method: "PUT", body: "hi" });
  expect(put.status).toBe(status);
  for (const method of ["GET", "HEAD", "DELETE"])
    expect([method, (await fetch(`${it.url}${target}`, { method })).status]).toEqual([method, 404]);
});

test.each([
  { story: "no Host", target: "/there", host: "", status: 400 },
  { story: "a stage that is no number", target: "/_3fs_x/there", status: 404 },
  { story: "a stage that is not there", target: "/_3fs_7/there", status: 404 },
  { story: "a stage beyond counting", target: `/_3fs_${"9".repeat(40)}/there`, status: 404 },
  { story: "a name that no disk can have", target: `/_3fs_0/z${LONG}`, status: 404 },
  { story: "records of a stage", target: "/_3fs_0.records/abc", status: 404 },
  { story: "a NUL", target: "/a%00b", status: 400 },
  { story: "a file as a directory", target: "/there/below", status: 404 },
])(
  "GET, HEAD and DELETE with $story: $status, and nothing is lost",
  async ({ target, host = HOST, status }) => {
    for (const method of ["GET", "HEAD", "DELETE"])
      expect([method, await say(`${method} ${target} HTTP/1.1\r\n${host}\r\n`)]).toEqual([
        method,
        status,
      ]);
    expect(await (await fetch(`${it.url}/there`)).text()).toBe("there");
  },
);
