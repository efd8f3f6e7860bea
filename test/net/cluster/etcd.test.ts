/** What is made of answers that no etcd gives; test/services/store/shared asks a real one. */
import { expect, setDefaultTimeout, test } from "bun:test";

import { Etcd, MAX_ANSWER } from "../../../src/net/cluster/etcd.ts";

setDefaultTimeout(60_000);

const MiB = 2 ** 20;

/** Somebody who answers so, whatever he is asked. */
function answering(respond: () => Response): { url: string } & Disposable {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: respond });
  return { url: server.url.origin, [Symbol.dispose]: () => void server.stop(true) };
}

/** A body that goes on until whoever reads it gives it up: then `given` is called. */
function endless(given: () => void): Response {
  const piece = new Uint8Array(MiB).fill(0x20); // JSON may begin with any number of spaces
  return new Response(
    new ReadableStream({
      pull: (controller) => controller.enqueue(piece),
      cancel: given,
    }),
  );
}

test.each([
  { story: "spaces behind it", length: MAX_ANSWER, kvs: 0 },
  { story: "one space too many", length: MAX_ANSWER + 1, kvs: undefined },
])("an answer with $story", async ({ length, kvs }) => {
  using server = answering(() => new Response("{}".padEnd(length)));
  const asked = new Etcd([server.url]).list("/test/");
  if (kvs !== undefined) expect(await asked).toHaveLength(kvs);
  else expect(asked).rejects.toThrow(`etcd: kv/range: ${server.url}: the body is longer than`);
});

test("an answer without an end is given up, and another etcd asked", async () => {
  const given = Promise.withResolvers<void>();
  using server = answering(() => endless(given.resolve));
  using other = answering(() => new Response("{}"));
  expect(await new Etcd([server.url, other.url]).get("/test/k")).toBeUndefined();
  await given.promise;
});

test.each([
  { story: "no JSON", body: "<html>", why: "JSON" },
  { story: "another JSON", body: '{"kvs": 1}', why: "Invalid type" },
])("what answers with $story is no etcd", async ({ body, why }) => {
  using server = answering(() => new Response(body));
  expect(new Etcd([server.url]).get("/test/k")).rejects.toThrow(why);
});
