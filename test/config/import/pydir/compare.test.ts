import { expect, test } from "bun:test";

import fc from "fast-check";

import { compareDirectors } from "../../../../src/config/import/pydir/compare.ts";
import type { Director } from "../../../../src/config/import/pydir/director.ts";
import { readDirector } from "../../../../src/config/import/pydir/read.ts";
import { director } from "./director-gen.ts";

const OLD = `<pdconfig>
  <service name="web"><listen ip="*:80"/>
    <group name="main" scheduler="random"><host name="a" ip="10.0.0.1:80"/><host name="b" ip="10.0.0.2:80"/></group>
    <group name="next" scheduler="random"><host name="c" ip="10.0.0.3:80"/></group>
    <enable group="main"/></service>
  <admin listen="*:7001"><user name="ann" password="iya2/im3qjwhU" access="full"/></admin>
</pdconfig>`;

function read(xml: string): Director {
  const it = readDirector(xml, "x.xml");
  if (!it.ok) throw new Error(it.problems[0]?.message);
  return it.director;
}

const group = { service: "web", group: "main" };

test.each([
  { story: "the same", from: "", to: "", commands: [], notes: [] },
  {
    story: "one more host",
    from: '<host name="b"',
    to: '<host name="d" ip="10.0.0.4:80"/><host name="b"',
    commands: [["addHost", { ...group, name: "d", ip: "10.0.0.4:80" }]],
  },
  {
    story: "one host less",
    from: '<host name="b" ip="10.0.0.2:80"/>',
    to: "",
    commands: [["delHost", { ...group, ip: "10.0.0.2:80" }]],
  },
  {
    story: "a host somewhere else, which the original did not see",
    from: "10.0.0.2:80",
    to: "10.0.0.9:80",
    commands: [
      ["delHost", { ...group, ip: "10.0.0.2:80" }],
      ["addHost", { ...group, name: "b", ip: "10.0.0.9:80" }],
    ],
  },
  {
    story: "another scheduler",
    from: 'main" scheduler="random"',
    to: 'main" scheduler="leastconns"',
    commands: [["changeScheduler", { ...group, scheduler: "leastconns" }]],
  },
  {
    story: "another group enabled, which the original did not see",
    from: 'enable group="main"',
    to: 'enable group="next"',
    commands: [["enableGroup", { service: "web", group: "next" }]],
  },
  {
    story: "other listeners, which the original did not see",
    from: '<listen ip="*:80"/>',
    to: '<listen ip="*:80"/><listen ip="127.0.0.1:81"/>',
    commands: [["changeListen", { service: "web", listen: "*:80,127.0.0.1:81" }]],
  },
  {
    story: "other rights, which the original computed and dropped",
    from: 'access="full"',
    to: 'access="readonly"',
    commands: [
      ["delUser", { name: "ann" }],
      ["addUser", { name: "ann", password: "iya2/im3qjwhU", access: "readonly" }],
    ],
  },
  {
    story: "one group more, one less: the original gave up",
    from: '<group name="next" scheduler="random"><host name="c"',
    to: '<group name="last" scheduler="random"><host name="c"',
    commands: [
      ["newGroup", { service: "web", group: "last", scheduler: "random" }],
      ["addHost", { service: "web", group: "last", name: "c", ip: "10.0.0.3:80" }],
      ["delGroup", { service: "web", group: "next" }],
    ],
  },
  {
    story: "one service more, one less: the original gave up",
    from: 'service name="web"',
    to: 'service name="www"',
    commands: [
      ["newService", { service: "www", listen: "*:80", group: "main", scheduler: "random" }],
      ["newGroup", { service: "www", group: "next", scheduler: "random" }],
      ["addHost", { service: "www", group: "main", name: "a", ip: "10.0.0.1:80" }],
      ["addHost", { service: "www", group: "main", name: "b", ip: "10.0.0.2:80" }],
      ["addHost", { service: "www", group: "next", name: "c", ip: "10.0.0.3:80" }],
      ["delService", { service: "web" }],
    ],
  },
  {
    story: "all hosts of the enabled group somewhere else",
    from: /10\.0\.0\.([12]):80/g,
    to: "10.0.9.$1:80",
    commands: [
      ["delHost", { ...group, ip: "10.0.0.1:80" }],
      ["addHost", { ...group, name: "a", ip: "10.0.9.1:80" }],
      ["delHost", { ...group, ip: "10.0.0.2:80" }],
      ["addHost", { ...group, name: "b", ip: "10.0.9.2:80" }],
    ],
    notes: [],
  },
  {
    story: "the only host of the group that is now enabled somewhere else",
    from: /10\.0\.0\.3:80([\s\S]*)enable group="main"/,
    to: '10.0.9.3:80$1enable group="next"',
    commands: [
      ["enableGroup", { service: "web", group: "next" }],
      ["delHost", { service: "web", group: "next", ip: "10.0.0.3:80" }],
      ["addHost", { service: "web", group: "next", name: "c", ip: "10.0.9.3:80" }],
    ],
    notes: [
      "service web, group next: its only host moves, which delHost refuses: add it by another name before",
    ],
  },
  {
    story: "what no call changes",
    from: '<admin listen="*:7001">',
    to: '<logging file="/l"/><checktime time="60"/><admin listen="*:7002" secure="yes">',
    commands: [],
    notes: [
      "admin changes from *:7001 to *:7002 with TLS: no call does that",
      "logging changes from none to /l: no call does that",
      "checktime changes from 120 to 60: no call does that",
    ],
  },
])("$story", ({ from, to, commands, notes = [] }) => {
  const compared = compareDirectors(read(OLD), read(OLD.replace(from, to)));
  expect(compared).toEqual({ commands, notes } as unknown as typeof compared);
});

/** What the commands make of a director, as its web API would. */
function played(old: Director, commands: ReturnType<typeof compareDirectors>["commands"]): object {
  const services = new Map(
    old.services.map((s) => [
      s.name,
      {
        listen: s.listen.join(),
        enable: s.enable,
        groups: new Map(
          s.groups.map((g) => [
            g.name,
            { scheduler: g.scheduler, hosts: new Map(g.hosts.map((h) => [h.ip, h.name])) },
          ]),
        ),
      },
    ]),
  );
  const users = new Map(old.admin?.users.map((u) => [u.name, `${u.password} ${u.access}`]));
  for (const [name, p] of commands) {
    const service = services.get(p["service"] ?? "");
    const group = service?.groups.get(p["group"] ?? "");
    const fresh = { scheduler: p["scheduler"] ?? "", hosts: new Map<string, string>() };
    const { listen = "", ip = "" } = p;
    const must = (good: unknown): void => {
      if (!good) throw new Error(`${name} ${JSON.stringify(p)} cannot be`);
    };
    switch (name) {
      case "newService":
        must(!service);
        services.set(p["service"] ?? "", {
          listen,
          enable: p["group"] ?? "",
          groups: new Map([[p["group"] ?? "", fresh]]),
        });
        break;
      case "delService":
        must(services.delete(p["service"] ?? ""));
        break;
      case "changeListen":
        if (service) service.listen = listen;
        break;
      case "newGroup":
        must(service && !group);
        service?.groups.set(p["group"] ?? "", fresh);
        break;
      case "delGroup":
        must(service?.enable !== p["group"]);
        must(service?.groups.delete(p["group"] ?? ""));
        break;
      case "enableGroup":
        must(group);
        if (service) service.enable = p["group"] ?? "";
        break;
      case "changeScheduler":
        must(group);
        if (group) group.scheduler = p["scheduler"] ?? "";
        break;
      case "addHost":
        group?.hosts.set(ip, p["name"] ?? "");
        break;
      case "delHost":
        group?.hosts.delete(ip);
        break;
      case "delUser":
        must(users.delete(p["name"] ?? ""));
        break;
      case "addUser":
        must(!users.has(p["name"] ?? ""));
        users.set(p["name"] ?? "", `${p["password"]} ${p["access"]}`);
        break;
      default:
        throw new Error(name);
    }
  }
  return { services, users };
}

test("made one after the other, the calls turn any director into any other", () => {
  fc.assert(
    fc.property(director, director, (old, next) => {
      const { commands } = compareDirectors(old, next);
      const made = played(old, commands);
      const wanted = played(next, []);
      expect(sorted(made)).toEqual(sorted(wanted));
    }),
  );
});

function sorted(value: unknown): unknown {
  if (value instanceof Map)
    return [...(value as Map<string, unknown>)]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]);
  if (typeof value !== "object" || value === null)
    return typeof value === "string" ? value.split(",").toSorted().join() : value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, sorted(inner)]));
}
