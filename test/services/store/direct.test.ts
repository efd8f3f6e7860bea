import { afterAll, expect, test } from "bun:test";

import { Secret } from "../../../src/config/scalars.ts";
import { reactor } from "../../../src/net/reactor-loop.ts";
import { Dialer } from "../../../src/net/tcp/dialer.ts";
import { Upstream } from "../../../src/net/upstream/upstream.ts";
import { Direct, DIRECT_LIMITS } from "../../../src/services/store/members/direct.ts";
import { MemberError } from "../../../src/services/store/members/member.ts";
import { WebdavMember } from "../../../src/services/store/members/webdav-member.ts";
import { S3Member } from "../../../src/services/store/s3/member.ts";

const loop = reactor();
const upstream = new Upstream(loop, new Dialer(loop), DIRECT_LIMITS);
afterAll(() => upstream.close());

type Say = (text: string) => void;

interface Data {
  readonly nth: number;
  said: string;
  waiting: Buffer;
}

/** A server that says what a test tells it to, when a request of connection `nth` has come to its end. */
function server(script: (said: string, nth: number, say: Say, end: () => void) => void) {
  let connections = 0;
  const heard: string[] = [];
  /** What the socket has taken is gone, what it has not waits. */
  const push = (socket: Bun.Socket<Data>): void => {
    const { data } = socket;
    data.waiting = data.waiting.subarray(socket.write(data.waiting));
  };
  const listener = Bun.listen<Data>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        socket.data = { nth: connections++, said: "", waiting: Buffer.alloc(0) };
      },
      drain: push,
      data(socket, bytes) {
        const { data } = socket;
        data.said += bytes.toString("latin1");
        if (!isWhole(data.said)) return;
        heard.push(data.said);
        const { said } = data;
        data.said = "";
        script(
          said,
          data.nth,
          (text) => {
            data.waiting = Buffer.concat([data.waiting, Buffer.from(text)]);
            push(socket);
          },
          () => void socket.end(),
        );
      },
    },
  });
  return {
    heard,
    get connections() {
      return connections;
    },
    url: new URL(`http://127.0.0.1:${listener.port}/base`),
    [Symbol.dispose]: () => listener.stop(true),
  };
}

function isWhole(said: string): boolean {
  const at = said.indexOf("\r\n\r\n");
  if (at < 0) return false;
  if (/transfer-encoding: chunked/i.test(said)) return said.endsWith("0\r\n\r\n");
  const length = Number(/content-length: (\d+)/i.exec(said)?.[1] ?? 0);
  return said.length >= at + 4 + length;
}

/** A server that answers with this head, and then a body of 128 MiB: whoever reads all of it is too patient. */
function endless(head: string) {
  const page = Buffer.alloc(64 * 1024, "oh no ");
  const most = 2048 * page.length;
  let sent = 0;
  const pour = (socket: Bun.Socket): void => {
    for (let n = 1; n > 0 && sent < most;) sent += n = socket.write(page);
  };
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket) {
        socket.write(head);
        pour(socket);
      },
      drain: pour,
    },
  });
  return {
    url: `http://127.0.0.1:${listener.port}`,
    most,
    get sent() {
      return sent;
    },
    [Symbol.dispose]: () => listener.stop(true),
  };
}

const GET = { method: "GET", target: "/a", headers: {} } as const;

async function textOf(direct: Direct, request: Parameters<Direct["ask"]>[0] = GET) {
  const answer = await direct.ask(request);
  return `${answer.status} ${Buffer.from(await answer.whole(1e6)).toString()}`;
}

/** How it fails, in words. */
async function why(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => "nothing",
    (thrown: unknown) => thrown,
  );
  return error instanceof MemberError ? `${error.trouble}: ${error.message}` : String(error);
}

test.each([
  {
    story: "with a length",
    said: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    is: "200 hello",
  },
  { story: "with none", said: "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", is: "404 " },
  {
    story: "in chunks",
    said: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    is: "200 hello",
  },
  { story: "behind a 100", said: "HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 204 None\r\n\r\n", is: "204 " },
])("an answer $story, again and again by one connection", async ({ said, is }) => {
  using peer = server((_, __, say) => say(said));
  const direct = new Direct(upstream, peer.url);
  for (let i = 0; i < 3; i++) expect(await textOf(direct)).toBe(is);
  expect(peer.connections).toBe(1);
  expect(peer.heard[0]).toContain(`Host: ${peer.url.host}\r\n`);
});

test.each([
  {
    story: "breaks off in its body",
    said: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
    is: /^away: the body broke off/,
  },
  { story: "is none", said: "hello\r\n\r\n", is: /^away: .*malformed/ },
  { story: "never comes", said: "", is: /^away: .*closed/ },
])("an answer that $story", async ({ said, is }) => {
  using peer = server((_, __, say, end) => {
    say(said);
    end();
  });
  expect(await why(textOf(new Direct(upstream, peer.url)))).toMatch(is);
});

test("nobody is there", async () => {
  const gone = server(() => {});
  gone[Symbol.dispose]();
  expect(await why(textOf(new Direct(upstream, gone.url)))).toMatch(/^away: /);
});

test("a server is called by its name", async () => {
  using peer = server((_, __, say) => say("HTTP/1.1 204 None\r\n\r\n"));
  const url = new URL(peer.url);
  url.hostname = "localhost"; // ::1 too, where nobody listens
  expect(await textOf(new Direct(upstream, url))).toBe("204 ");
  url.hostname = "nobody.invalid";
  expect(await why(textOf(new Direct(upstream, url)))).toMatch(/^away: /);
});

test("a server that hangs up on an idle connection is asked by another one, once", async () => {
  using peer = server((_, nth, say, end) => {
    if (nth === 0 && peer.heard.length > 1) end();
    else say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  const direct = new Direct(upstream, peer.url);
  const put = { method: "PUT", target: "/a", headers: {}, body: Buffer.from("body") };
  expect(await textOf(direct)).toBe("200 ok");
  expect(await textOf(direct, put)).toBe("200 ok");
  expect(peer.connections).toBe(2);
  expect(peer.heard[2]).toEndWith("Content-Length: 4\r\n\r\nbody");
});

test.each(["before it answers", "in the middle of its body"])(
  "who gives up %s is told so, and holds nothing open",
  async (when) => {
    using peer = server((_, __, say) => {
      if (when !== "before it answers") say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
    });
    const direct = new Direct(upstream, peer.url);
    const gone = new AbortController();
    const asked = direct.ask(GET, gone.signal);
    const read = asked.then((answer) => answer.whole(100));
    if (when === "before it answers") while (peer.heard.length === 0) await Bun.sleep(1);
    else await asked;
    gone.abort();
    expect(await why(read)).toMatch(/^away: /);
    const before = upstream.open;
    expect(await why(direct.ask(GET, gone.signal))).toMatch(/^away: /);
    expect(upstream.open).toBe(before);
  },
);

test("a body is read in rooms of any size, whatever the pieces it comes in", async () => {
  const body = "0123456789".repeat(50_000);
  using peer = server((_, __, say) => {
    say(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
    say(body.slice(0, 7));
    say(body.slice(7));
  });
  for (const size of [1000, 64 * 1024, 300_000, 1_000_000]) {
    const answer = await new Direct(upstream, peer.url).ask(GET);
    let text = "";
    for (let piece; (piece = await answer.next(new Uint8Array(size))) !== undefined;)
      text += Buffer.from(piece).toString();
    expect(text === body).toBe(true);
    answer.close();
  }
});

test.each([
  { story: "whole, though a part was asked for", status: "200 OK", range: "", sent: "0123456789" },
  { story: "the part", status: "206 Part", range: "Content-Range: bytes 2-5/10\r\n", sent: "2345" },
  {
    story: "more than the part",
    status: "206 Part",
    range: "Content-Range: bytes 1-9/10\r\n",
    sent: "123456789",
  },
])("bytes 2 to 5 of a server that sends $story", async ({ status, range, sent }) => {
  using peer = server((_, __, say) =>
    say(`HTTP/1.1 ${status}\r\n${range}Content-Length: ${sent.length}\r\n\r\n${sent}`),
  );
  const member = new WebdavMember("m", peer.url.href, upstream);
  const reading = await member.read("/a b", 2, 6);
  expect(reading?.size).toBe(10);
  let text = "";
  for (let piece; (piece = await reading?.next(new Uint8Array(3))) !== undefined;)
    text += Buffer.from(piece).toString();
  reading?.close();
  expect(text).toBe("2345");
  expect(peer.heard[0]).toStartWith("GET /base/a%20b HTTP/1.1\r\n");
  expect(peer.heard[0]).toContain("range: bytes=2-5\r\n");
  member.close();
});

const read = (member: WebdavMember): Promise<unknown> => member.read("/a", 0, 9);
test.each([
  { status: "404 No", story: "nothing is there", act: read, is: "nothing" },
  { status: "500 Oh", story: "it is broken", act: read, is: /^away: .*GET \/a: 500$/ },
  {
    status: "201 Made",
    story: "it has taken a file",
    act: (member: WebdavMember) => member.replace("/a", new Uint8Array(9)),
    is: "nothing",
  },
  {
    status: "500 Oh",
    story: "it deletes nothing",
    act: (member: WebdavMember) => member.remove("/a"),
    is: /^away: .*DELETE \/a: 500$/,
  },
])("a page that nobody wants and never ends is not read: $story", async ({ status, act, is }) => {
  using peer = endless(`HTTP/1.1 ${status}\r\n\r\n`);
  const member = new WebdavMember("m", peer.url, upstream);
  expect(await why(act(member))).toMatch(is);
  expect(peer.sent).toBeLessThan(peer.most);
  member.close();
});

test.each([
  { story: "by connections of our own", by: upstream },
  { story: "by fetch", by: undefined },
])("a list that never ends is given up, $story", async ({ by }) => {
  using peer = endless("HTTP/1.1 207 Multi\r\n\r\n");
  const member = new WebdavMember("m", peer.url, by);
  expect(await why(member.list("/a"))).toMatch(/^failed: .*too long/);
  expect(peer.sent).toBeLessThan(peer.most);
  member.close();
});

test("a document of an object store that never ends is given up", async () => {
  using peer = endless("HTTP/1.1 200 OK\r\n\r\n");
  const secretKey = new Secret("s");
  const where = {
    kind: "s3",
    url: `${peer.url}/b`,
    region: "r",
    accessKey: "k",
    secretKey,
  } as const;
  const member = new S3Member("m", where);
  expect(await why(member.list("/a"))).toMatch(/^failed: .*too long/);
  expect(peer.sent).toBeLessThan(peer.most);
  member.close();
});

test("an answer that changes the protocol, unasked, is a member's trouble and not ours", async () => {
  using peer = server((_, __, say) =>
    say("HTTP/1.1 101 Odd\r\nConnection: upgrade\r\nUpgrade: odd\r\n\r\n"),
  );
  const member = new WebdavMember("m", peer.url.href, upstream);
  expect(await why(member.facts("/a"))).toMatch(/^(away|failed): .*\/a/);
  expect(await why(member.remove("/a"))).toMatch(/^(away|failed): .*\/a/);
  expect(await why(member.read("/a", 0, 9))).toMatch(/^(away|failed): .*\/a/);
  member.close();
});

test.each([
  {
    story: "of a known length",
    size: 400_000,
    said: /Content-Length: 400000\r\n/,
    tail: /\r\n\r\nx{400000}$/,
  },
  {
    story: "of any length",
    size: undefined,
    said: /Transfer-Encoding: chunked\r\n/,
    tail: /x\r\n0\r\n\r\n$/,
  },
])("an upload $story", async ({ size, said, tail }) => {
  using peer = server((_, __, say) => say("HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n"));
  const member = new WebdavMember("m", peer.url.href, upstream);
  const upload = await member.put("/new", size);
  for (let i = 0; i < 4; i++) await upload.write(new Uint8Array(100_000).fill("x".charCodeAt(0)));
  await upload.finish();
  const sent = peer.heard.find((one) => one.startsWith("PUT")) ?? "";
  expect(sent).toMatch(said);
  expect(sent).toMatch(tail);
  member.close();
});

test("an upload shorter than it was said to be is none", async () => {
  using peer = server((_, __, say) => say("HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n"));
  const member = new WebdavMember("m", peer.url.href, upstream);
  const upload = await member.put("/new", 400_001);
  for (let i = 0; i < 4; i++) await upload.write(new Uint8Array(100_000));
  expect(await why(upload.finish())).toMatch(/^away: .*shorter/);
  await upload.abort();
  expect(peer.heard.some((one) => one.startsWith("PUT"))).toBe(false);
  member.close();
});
