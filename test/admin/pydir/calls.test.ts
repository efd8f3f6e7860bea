import { expect, test } from "bun:test";

import { readDirector } from "../../../src/config/import/pydir/read.ts";
import { director, HASH } from "./director.ts";

const of = "service=web&group=main";

// Each call as a full user makes it, and what the page then says; the config is asked what became of it.
test.each([
  {
    call: `addHost?${of}&name=ten&ip=10.0.0.10:80`,
    says: "Host ten(10.0.0.10:80) added to main / web",
    config: /- \{ name: ten, address: 10\.0\.0\.10:80 \}|name: ten/,
  },
  {
    call: `ADDHOST?${of}`,
    status: 404,
    body: "<html><body>no such URL</body></html>",
  },
  {
    call: `addHost?SERVICE=web&Group=main&nAmE=ten&iP=10.0.0.10:80`,
    says: "Host ten(10.0.0.10:80) added to main / web",
    config: /ten/,
  },
  { call: `addHost?${of}&name=ten`, status: 500, body: "missing arg(s): ip" },
  { call: `addHost?${of}&name=two&ip=10.0.0.10:80`, status: 400, body: "two" },
  { call: `addHost?${of}&name=x&ip=10.1.0.1-9:80`, status: 400, body: "a name is for one host" },
  { call: `addHost?${of}&name=x&ip=nonsense`, status: 400, body: "nonsense is no host:port" },
  { call: "addHost?service=x&group=main&name=a&ip=10.0.0.1:1", status: 400, body: "no service x" },
  { call: `delHost?${of}&ip=10.0.0.2:80`, says: "host 10.0.0.2:80 deleted (from active group!)" },
  { call: `delHost?${of}&name=two`, says: "host two deleted (from active group!)" },
  {
    call: `delHost?${of}&ip=10.0.0.8:80`,
    says: "host 10.0.0.8:80 deleted (from active group!)",
    config: /- 10\.0\.0\.7:80\n\s+- 10\.0\.0\.9:80/,
  },
  { call: `delHost?${of}&name=six`, status: 400, body: "no host" },
  { call: `delHost?${of}`, status: 500, body: "missing arg(s): ip" },
  {
    call: "delHost?service=web&group=next&name=five",
    says: "host five deleted from inactive group",
    config: /hosts: \[\]/,
  },
  {
    call: "delAllHosts?service=web&group=next",
    says: "all hosts deleted from inactive group next",
    config: /hosts: \[\]/,
  },
  { call: `delAllHosts?${of}`, status: 400, body: "enabled group main" },
  {
    call: "enableGroup?service=web&group=next",
    says: "Group next enabled for service web",
    config: /enable: next/,
  },
  { call: "enableGroup?service=web&group=last", status: 400, body: "no group last" },
  {
    call: `changeScheduler?${of}&scheduler=roundrobin`,
    says: "scheduler of main is roundrobin",
    config: /scheduler: roundrobin/,
  },
  { call: `changeScheduler?${of}&scheduler=fastest`, status: 400, body: "scheduler" },
  {
    call: `addUser?name=ann&password=${HASH}&access=readonly`,
    says: "user ann added",
    config: /name: ann/,
  },
  {
    call: `addUser?name=root&password=${HASH}&access=readonly`,
    says: "user root already exists",
    body: "NOT OK\n",
  },
  {
    call: "addUser?name=ann&password=geheim&access=full",
    status: 400,
    body: "this is no password hash",
  },
  { call: "addUser?name=ann&password=x", status: 500, body: "missing arg(s): access" },
  { call: "delUser?name=guest", says: "user guest deleted", config: /^(?![\s\S]*guest)/ },
  { call: "delUser?name=nobody", says: "user nobody not found", body: "NOT OK\n" },
  {
    call: "newService?service=mail&listen=*:25,127.0.0.1:26",
    says: "service mail added with group main",
    config: /mail-main:[\s\S]*mail:\s+listen:[\s\S]*:25[\s\S]*127\.0\.0\.1:26/,
  },
  { call: "newService?service=web&listen=*:25", status: 400, body: "a service web already" },
  { call: "newService?service=a+b&listen=*:25", status: 400, body: "expected a name" },
  { call: "newService?service=mail&listen=mail:25", status: 400, body: "no address:port" },
  {
    call: "newGroup?service=web&group=last&scheduler=leastconnsrr",
    says: "group last added to web",
    config: /web-last:/,
  },
  { call: "newGroup?service=web&group=main&scheduler=random", status: 400, body: "already" },
  { call: "newGroup?service=x&group=main&scheduler=random", status: 400, body: "no service x" },
  { call: "newGroup?service=web&group=z&scheduler=x", status: 400, body: "scheduler" },
  {
    call: "delGroup?service=web&group=next",
    says: "group next deleted from web",
    config: /^(?![\s\S]*next)/,
  },
  { call: "delGroup?service=web&group=main", status: 400, body: "group main is enabled" },
  { call: "delService?service=web", says: "service web deleted", config: /^(?![\s\S]*web)/ },
  {
    call: "changeListen?service=web&listen=*:9000",
    says: "service web listens on :9000",
    config: /listen: \[":?:?9000"?/,
  },
  { call: `retryHost?${of}&host=two`, says: "host two is tried again", done: /retry .*"two"/ },
  { call: `retryHost?${of}&host=six`, status: 400, body: "group main has no host six" },
  {
    call: `hostAdminDown?${of}&name=10.0.0.1:80`,
    says: "host 10.0.0.1:80 is administratively down",
    config: /name: one, address: 10\.0\.0\.1:80, state: down/,
  },
  { call: `hostAdminUp?${of}&name=two`, says: "host two is administratively up" },
  { call: `hostAdminUp?${of}&name=six`, status: 400, body: "no host" },
  { call: "closeLog", says: "log files opened again", done: /^reopen$/ },
  { call: "shutdown", says: "shutting down", done: /^stop$/ },
  { call: "reload", status: 404, body: "no such URL" },
  { call: "constructor", status: 404, body: "no such URL" },
] as Row[])("$call: $says$status", async ({ call, says, status, body = "OK\n", config, done }) => {
  const it = director();
  const before = it.text();
  const response = await it.ask(call, "root");
  const text = await response.text();
  if (status !== undefined) {
    expect([response.status, text]).toEqual([status, expect.stringContaining(body)]);
    expect(it.text()).toBe(before);
    return;
  }
  expect([response.status, text]).toEqual([302, body]);
  const location = response.headers.get("location") ?? "";
  expect(location).toMatch(/^\/pydir\/running\?resultMessage=[\w.%/-]+$/);
  expect(decodeURIComponent(location.split("=")[1] ?? "")).toBe(says ?? "");
  if (config) expect(it.text()).toMatch(config);
  if (done) expect(it.done).toContainEqual(expect.stringMatching(done));
});

interface Row {
  readonly call: string;
  readonly says?: string;
  readonly status?: number;
  readonly body?: string;
  readonly config?: RegExp;
  readonly done?: RegExp;
}

test.each([
  {
    story: "the only one alive stays",
    dead: ["10.0.0.1:80", "10.0.0.7:80", "10.0.0.8:80", "10.0.0.9:80"],
    host: "two",
    kept: true,
  },
  {
    story: "a dead one may go",
    dead: ["10.0.0.1:80", "10.0.0.7:80", "10.0.0.8:80", "10.0.0.9:80"],
    host: "one",
    kept: false,
  },
  {
    story: "when all are dead, one of several may go",
    dead: ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.7:80", "10.0.0.8:80", "10.0.0.9:80"],
    host: "one",
    kept: false,
  },
])("delHost in the enabled group: $story", async ({ dead, host, kept }) => {
  const state = { state: "ejected", why: "refused" };
  const it = director(Object.fromEntries(dead.map((address) => [address, state])));
  const response = await it.ask(`delHost?${of}&name=${host}`, "root");
  expect([response.status, await response.text()]).toEqual([302, "OK\n"]);
  const says = decodeURIComponent(response.headers.get("location") ?? "");
  expect(says.includes("<b>not</b> deleted from active group")).toBe(kept);
  expect(it.text().includes(`name: ${host}`)).toBe(kept);
});

test("GET and POST do the same, HEAD and others nothing", async () => {
  const form = { "Content-Type": "application/x-www-form-urlencoded" };
  const it = director();
  const body = "service=web&group=next";
  const posted = await it.ask("enableGroup", "root", { method: "POST", headers: form, body });
  expect(posted.status).toBe(302);
  expect(it.text()).toContain("enable: next");
  for (const method of ["HEAD", "PUT", "DELETE"]) {
    const other = await it.ask(`enableGroup?${of}`, "root", { method });
    expect([other.status, other.headers.get("allow")]).toEqual([405, "GET, POST"]);
  }
  expect((await it.ask("running.txt", "root", { method: "POST" })).status).toBe(405);
  expect((await it.ask("running.txt", "root", { method: "HEAD" })).status).toBe(200);
  expect(it.text()).toContain("enable: next");
});

test("save writes the running config, and says where", async () => {
  const it = director();
  const saved = await it.ask("save", "root");
  expect([saved.status, await saved.text()]).toEqual([
    200,
    "<p>config saved to /etc/tern.yaml</p>\n",
  ]);
  expect(it.done).toContain("root saves");
});

test("running.txt has a line for each thing, and one word for each reason", async () => {
  const it = director({
    "10.0.0.1:80": { state: "ejected", why: "refused" },
    "10.0.0.7:80": { state: "down", why: "HTTP 503: not today\nreally" },
    "10.0.0.2:80": { open: 3 },
  });
  await it.ask(`hostAdminDown?${of}&name=10.0.0.8:80`, "root");
  const response = await it.ask("running.txt", "guest");
  expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  expect(await response.text()).toBe(`service web *:8000 main
service web 127.0.0.1:8001 main
group main enabled
host two 10.0.0.2:80 3 -
host 10.0.0.9:80 10.0.0.9:80 0 -
disabled one 10.0.0.1:80 conn_refused -
disabled 10.0.0.7:80 10.0.0.7:80 http_503_not_today_really -
disabled 10.0.0.8:80 10.0.0.8:80 admin_down -
group next inactive
host five 10.0.0.5:80 0 -
`);
});

test("running.xml is what runs, config.xml what the file says; hashes are for those with full access", async () => {
  const it = director();
  await it.ask(`delHost?${of}&name=two`, "root");
  const [running, config, seen] = await Promise.all(
    (
      [
        ["running.xml", "root"],
        ["config.xml", "root"],
        ["running.xml", "guest"],
      ] as const
    ).map(async ([path, user]) => {
      const response = await it.ask(path, user);
      expect(response.headers.get("content-type")).toBe("text/xml; charset=utf-8");
      return response.text();
    }),
  );
  expect(running).not.toContain('name="two"');
  expect(config).toContain('<host name="two" ip="10.0.0.2:80"/>');
  expect(running).toContain(`<user name="root" password="${HASH}" access="full"/>`);
  expect(seen).toContain('<user name="root" password="*" access="full"/>');
  expect(seen).not.toContain(HASH);
  const read = readDirector(running ?? "", "running.xml");
  expect(read.ok && read.director.services[0]?.groups[0]?.hosts.length).toBe(4);
});
