import { expect, test } from "bun:test";

import { withChallenges } from "../../../src/net/tls/http-challenge.ts";
import { CertificateStore } from "../../../src/net/tls/store.ts";
import { type HttpRequest, respond, settled } from "../../../src/wire/http/message.ts";

const certificates = new CertificateStore();
certificates.change({ tokens: { abc: "abc.thumbprint" } });
const handler = withChallenges(() => respond(301), certificates);

test.each([
  { story: "a token of ours", path: "/.well-known/acme-challenge/abc", status: 200 },
  { story: "nobody's token is the site's", path: "/.well-known/acme-challenge/abd", status: 301 },
  { story: "a name from Object", path: "/.well-known/acme-challenge/constructor", status: 301 },
  { story: "no token", path: "/.well-known/acme-challenge/", status: 301 },
  { story: "deeper", path: "/.well-known/acme-challenge/abc/abc", status: 301 },
  { story: "elsewhere", path: "/abc", status: 301 },
])("$story: $path is $status", async ({ path, status }) => {
  const answer = await settled(handler({ path } as HttpRequest));
  expect(answer.status).toBe(status);
  if (status !== 200 || answer.body.kind !== "pieces") return;
  expect(answer.body.pieces).toEqual([new TextEncoder().encode("abc.thumbprint")]);
});
