/** What is made of answers that no name server gives; test/services/dns asks real ones. */
import { expect, setDefaultTimeout, test } from "bun:test";

import { askDns, NoAnswer } from "../../src/net/dns-client.ts";
import { certificate } from "../fake/certificate.ts";

setDefaultTimeout(60_000);

const made = await certificate({ names: ["ns.example"] });
const HOUR = 3_600_000;

/** An HTTPS server that answers everything so. */
function answering(respond: () => Response) {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", tls: made, fetch: respond });
  const { port = 0 } = server;
  return {
    ask: () => askDns(Uint8Array.of(0, 1), { host: "127.0.0.1", port, transport: "https" }, HOUR),
    [Symbol.dispose]: () => void server.stop(true),
  };
}

test("the longest message there is comes whole", async () => {
  using server = answering(() => new Response(new Uint8Array(65_535).fill(7)));
  expect(await server.ask()).toEqual(new Uint8Array(65_535).fill(7));
});

test.each([
  { story: "one byte more", body: () => new Uint8Array(65_536) },
  {
    story: "no end",
    body: () =>
      new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(10_000)) }),
  },
])("a body with $story is no answer", async ({ body }) => {
  using server = answering(() => new Response(body()));
  const asked = server.ask();
  expect(asked).rejects.toThrow("the body is longer than allowed");
  expect(asked).rejects.toBeInstanceOf(NoAnswer);
  await asked.catch(() => {});
});
