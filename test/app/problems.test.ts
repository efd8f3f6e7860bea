import { expect, test } from "bun:test";

import { problemsOf } from "../../src/app/problems.ts";
import { CertificateError } from "../../src/net/tls/certificate.ts";
import { SysError } from "../../src/sys/errno.ts";

const text = `tls: { certificates: [] }
web:
  site:
    root: ./www
`;

test.each([
  {
    story: "a service names its key",
    error: new Error("web.site.root: ./www is no directory that can be read"),
    at: "4:11 web.site.root: ./www is no directory that can be read",
  },
  {
    story: "a key with its default is at the nearest thing that is written",
    error: new Error("web.site.index: nonsense"),
    at: "4:5 web.site.index: nonsense",
  },
  {
    story: "a certificate",
    error: new CertificateError("a.pem: no such file"),
    at: "1:1 tls: a.pem: no such file",
  },
  {
    story: "a system call is at the beginning, with advice",
    error: new SysError("bind", "EADDRINUSE", "127.0.0.1:80"),
    at: "1:1 : bind 127.0.0.1:80: EADDRINUSE: another program listens there",
  },
  {
    story: "the same from a worker, as text",
    error: new Error("bind 127.0.0.1:80: EADDRINUSE"),
    at: "1:1 : bind 127.0.0.1:80: EADDRINUSE: another program listens there",
  },
  {
    story: "words before a colon are no key",
    error: new Error("nothing: here"),
    at: "1:1 : nothing: here",
  },
])("$story", ({ error, at }) => {
  const [problem] = problemsOf(error, "tern.yaml", { text, file: "tern.yaml" });
  const { line, column, path, message } = problem ?? { line: 0, column: 0, path: "", message: "" };
  expect(`${line}:${column} ${path}: ${message}`).toBe(at);
});
