import { expect, test } from "bun:test";

import { basic } from "../fake-deps.ts";
import { director } from "./director.ts";

const READ = ["", "running", "running.txt", "running.xml", "config.xml", "pydirector.css"];
const WRITE = [
  "addHost?service=web&group=main&name=x&ip=10.0.0.10:80",
  "delHost?service=web&group=main&name=two",
  "delAllHosts?service=web&group=next",
  "enableGroup?service=web&group=next",
  "changeScheduler?service=web&group=main&scheduler=random",
  "addUser?name=x&password=iya2/im3qjwhU&access=full",
  "delUser?name=guest",
  "newService?service=x&listen=*:1",
  "newGroup?service=web&group=x&scheduler=random",
  "delGroup?service=web&group=next",
  "delService?service=web",
  "changeListen?service=web&listen=*:1",
  "closeLog",
  "retryHost?service=web&group=main&host=two",
  "hostAdminUp?service=web&group=main&name=two",
  "hostAdminDown?service=web&group=main&name=two",
  "shutdown",
  "save",
];

const SOCKET = {
  listener: { kind: "unix", path: "/run/t.sock" },
  client: "",
  secure: false,
} as const;

test.each([...READ, ...WRITE, "nonsense"])(
  "/pydir/%s is for nobody without a password",
  async (path) => {
    const it = director();
    const before = it.text();
    for (const headers of [{}, { Authorization: basic("root", "wrong") }]) {
      const response = await it.ask(path, undefined, { headers });
      expect([response.status, await response.text()]).toEqual([401, "<p>Unauthorised</p>\n"]);
      expect(response.headers.get("www-authenticate")).toBe('Basic realm="python director"');
    }
    expect([it.text(), it.done]).toEqual([before, []]);
  },
);

test.each(READ)("/pydir/%s is for both", async (path) => {
  const it = director();
  for (const user of ["root", "guest"] as const) {
    const response = await it.ask(path, user);
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
  }
  expect(it.done).toEqual([]);
});

test.each(WRITE)("/pydir/%s is refused to who may only look", async (path) => {
  const it = director();
  const before = it.text();
  for (const method of ["GET", "POST"]) {
    const response = await it.ask(path, "guest", { method });
    expect(response.status).toBe(401);
  }
  expect([it.text(), it.done]).toEqual([before, []]);
  const allowed = await it.ask(path, "root");
  expect([200, 302]).toContain(allowed.status);
});

test.each([
  { story: "a link or picture of another site", headers: { "Sec-Fetch-Site": "cross-site" } },
  { story: "a neighbour's page", headers: { "Sec-Fetch-Site": "same-site" } },
  { story: "a form of another site", headers: { Origin: "http://evil.example" } },
  { story: "a sandboxed form", headers: { Origin: "null" } },
  { story: "an old browser's link", headers: { Referer: "http://evil.example/pydir/running" } },
  {
    story: "a link that hides its page, over plain HTTP",
    headers: { "User-Agent": "Mozilla/5.0" },
  },
])("$story changes nothing, whoever's password the browser adds", async ({ headers }) => {
  const it = director();
  const before = it.text();
  for (const path of WRITE)
    expect((await it.ask(path, "root", { headers })).status, path).toBe(403);
  expect([it.text(), it.done]).toEqual([before, []]);
  expect((await it.ask("running.txt", "root", { headers })).status).toBe(200);
});

test.each([
  { "Sec-Fetch-Site": "same-origin", Origin: "http://127.0.0.1:9900" },
  { "Sec-Fetch-Site": "none" },
  { Referer: "http://127.0.0.1:9900/pydir/running", "User-Agent": "Mozilla/5.0" },
  { "User-Agent": "Python-urllib/2.7" },
])("a page of ours, or the address bar, may: %o", async (headers) => {
  const response = await director().ask("closeLog", "root", {
    headers: headers as Record<string, string>,
  });
  expect(response.status).toBe(302);
});

test("the last who may change anything stays; the unix socket may take him away", async () => {
  const it = director();
  const before = it.text();
  const refused = await it.ask("delUser?name=root", "root");
  expect([refused.status, await refused.text()]).toEqual([
    400,
    expect.stringContaining("nobody would be left with full access"),
  ]);
  expect(it.text()).toBe(before);
  const url = "http://localhost/pydir/delUser?name=root";
  expect((await it.app.request(url, {}, SOCKET)).status).toBe(302);
});

test("a session's cookie is not looked at, nor its token", async () => {
  const it = director();
  const caller = {
    listener: { kind: "tcp", host: "127.0.0.1", port: 9900 },
    client: "10.9.9.9",
    secure: false,
  } as const;
  const login = await it.app.request(
    "http://127.0.0.1:9900/api/v1/login",
    {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: "root", password: "secret" }),
    },
    caller,
  );
  const { token } = (await login.json()) as { token: string };
  const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect((await it.ask("running", undefined, { headers: { Cookie: cookie } })).status).toBe(401);
  const bearer = { Authorization: `Bearer ${token}` };
  expect((await it.ask("running", undefined, { headers: bearer })).status).toBe(401);
});

test("guessing is slowed down", async () => {
  const it = director();
  let last: Response | undefined;
  for (let i = 0; i < 12; i++)
    last = await it.ask("running", undefined, {
      headers: { Authorization: basic("root", `guess ${i}`) },
    });
  expect(last?.status).toBe(429);
  expect(Number(last?.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("who has no users has no director either", async () => {
  const it = director({}, "admin: { listen: 127.0.0.1:9900 }\n");
  expect((await it.ask("running")).status).toBe(401);
});

test("the socket of this machine needs no password", async () => {
  const it = director();
  const response = await it.app.request("http://localhost/pydir/running.xml", {}, SOCKET);
  expect([response.status, await response.text()]).toEqual([
    200,
    expect.stringContaining("<pdconfig>"),
  ]);
});
