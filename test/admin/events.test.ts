import { describe, expect, test } from "bun:test";
import { createConnection } from "node:net";

import { adminApp } from "../../src/admin/app.ts";
import { Events } from "../../src/admin/events.ts";
import { Secret } from "../../src/config/secret.ts";
import { Journal } from "../../src/observe/journal.ts";
import { silent } from "../../src/observe/log.ts";
import { FakeClock } from "../fake/clock.ts";
import { ANN, BOB, caller, fakeDeps, logIn } from "./fake-deps.ts";

interface Said {
  readonly event: string;
  readonly data: unknown;
  readonly id: string | undefined;
}

/** What a stream says, as it says it. */
function follow(response: Response) {
  const said: Said[] = [];
  const state = { over: false, text: "" };
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of response.body ?? []) {
      const text = decoder.decode(bytes, { stream: true });
      state.text += text;
      const blocks = (rest + text).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
        const data = field("data");
        if (data !== undefined)
          said.push({ event: field("event") ?? "", data: JSON.parse(data), id: field("id") });
      }
    }
  };
  void read().then(
    () => (state.over = true),
    () => (state.over = true),
  );
  return { said, state };
}

const settled = () => Bun.sleep(5);

function made(figures: () => Promise<Record<string, unknown>> = async () => ({ n: ++made.count })) {
  made.count = 0;
  const clock = new FakeClock();
  const journal = new Journal(100);
  const events = new Events({ clock, log: silent, journal, figures });
  const open = (more: { allowed?: () => boolean; after?: number; signal?: AbortSignal } = {}) => {
    const { allowed = () => true, after, signal } = more;
    const response = events.open({ allowed, after, signals: [signal] });
    return { response, ...follow(response) };
  };
  return { clock, journal, events, open };
}
made.count = 0;

describe("figures", () => {
  test("once a second, made once for all, and only while somebody listens", async () => {
    const { clock, events, open } = made();
    await clock.advance(5000);
    expect(made.count).toBe(0);
    const gone = new AbortController();
    const all = [open({ signal: gone.signal }), open({ signal: gone.signal })];
    await clock.advance(2000);
    await settled();
    expect(made.count).toBe(3);
    for (const { said } of all)
      expect(said.map(({ data }) => data)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    gone.abort();
    await clock.advance(5000);
    expect([made.count, events.size]).toEqual([3, 0]);
    // And again, for the next who comes.
    open();
    await clock.advance(1000);
    expect(made.count).toBe(5);
  });

  test("when there are none, a sign of life", async () => {
    const { clock, open } = made(() => Promise.reject(new Error("busy")));
    const { state } = open();
    await clock.advance(1000);
    await settled();
    expect(state.text).toContain(": no figures\n\n");
    expect(state.over).toBe(false);
  });
});

describe("the log", () => {
  test("at once, with the number by which one who was cut off goes on", async () => {
    const { journal, open } = made();
    journal.add("info", "before", {}, 0);
    const { said } = open();
    journal.add("warn", "now", { host: "a" }, 0);
    await settled();
    expect(said.filter(({ event }) => event === "log")).toMatchObject([
      { id: "2", data: { number: 2, level: "warn", message: "now", host: "a" } },
    ]);
    const { said: again } = open({ after: 0 });
    await settled();
    expect(again.filter(({ event }) => event === "log").map(({ id }) => id)).toEqual(["1", "2"]);
  });

  test("a name that looks like an event is only a name", async () => {
    const { journal, open } = made();
    const { said } = open();
    journal.add("info", "x\n\nevent: stats\ndata: {}\n\n", { name: "\r\nid: 99\n" }, 0);
    await settled();
    expect(said.filter(({ event }) => event === "log")).toHaveLength(1);
    expect(said.filter(({ id }) => id === "99")).toEqual([]);
  });
});

describe("the end", () => {
  test("of the session ends it, in words", async () => {
    let allowed = true;
    const { clock, events, open } = made();
    const { said, state } = open({ allowed: () => allowed });
    await clock.advance(1000);
    allowed = false;
    await clock.advance(1000);
    await settled();
    expect(said.at(-1)).toMatchObject({ event: "end", data: { why: "the session is over" } });
    expect([state.over, events.size]).toEqual([true, 0]);
  });

  test("of the listener ends it", async () => {
    const { events, open } = made();
    const closing = new AbortController();
    const { said, state } = open({ signal: closing.signal });
    closing.abort();
    await settled();
    expect(said.at(-1)?.event).toBe("end");
    expect([state.over, events.size]).toEqual([true, 0]);
    expect(open({ signal: closing.signal }).response.status).toBe(200); // and ends at once
    await settled();
    expect(events.size).toBe(0);
  });

  test("one who goes away is forgotten", async () => {
    const { events } = made();
    const response = events.open({ allowed: () => true, after: undefined, signals: [] });
    await response.body?.cancel();
    expect(events.size).toBe(0);
  });

  test("only so many at once", () => {
    const { events, open } = made();
    const all = Array.from({ length: 70 }, () => open().response.status);
    expect(all.filter((status) => status === 200)).toHaveLength(64);
    expect(all.at(-1)).toBe(503);
    expect(events.size).toBe(64);
  });
});

describe("one who does not read", () => {
  test("is not sent figures that the next replace, and dropped in the end", async () => {
    const { clock, events } = made();
    events.open({ allowed: () => true, after: undefined, signals: [] });
    expect(events.size).toBe(1);
    await clock.advance(30_000);
    expect(events.size).toBe(0);
  });

  test("is dropped when too much of the log waits", async () => {
    const { events, journal } = made();
    events.open({ allowed: () => true, after: undefined, signals: [] });
    for (let i = 0; i < 5000; i++) journal.add("info", "x".repeat(400), {}, 0);
    expect(events.size).toBe(0);
  });

  test("costs no memory, over a real connection that is stalled", async () => {
    const journal = new Journal(10);
    const { clock } = made();
    const events = new Events({
      clock,
      log: silent,
      journal,
      figures: async () => ({ much: "x".repeat(300_000) }),
    });
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: ({ signal }) =>
        events.open({ allowed: () => true, after: undefined, signals: [signal] }),
    });
    const socket = createConnection(server.port ?? 0, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    socket.pause();
    for (let i = 0; i < 100 && events.size === 0; i++) await Bun.sleep(10);
    expect(events.size).toBe(1);
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 120 && events.size > 0; i++) {
      await clock.advance(1000);
      await Bun.sleep(2);
    }
    expect(events.size).toBe(0);
    expect(process.memoryUsage.rss() - before).toBeLessThan(60e6);
    socket.destroy();
  });
});

describe("by the API", () => {
  const listen = async (app: ReturnType<typeof adminApp>, headers: Record<string, string>) => {
    const response = await app.request("/api/v1/events", { headers }, caller("loopback"));
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    return follow(response);
  };

  test("watching is not using: it ends with the session, however much there was to see", async () => {
    const { deps, clock } = fakeDeps();
    const app = adminApp(deps);
    const { cookie } = await logIn(app, "bob");
    const { said, state } = await listen(app, { Cookie: cookie });
    await clock.advance(29 * 60_000);
    await settled();
    expect(state.over).toBe(false);
    await clock.advance(61_000);
    await settled();
    expect([state.over, said.at(-1)?.event]).toEqual([true, "end"]);
  });

  test.each([
    { story: "removed", next: [ANN] },
    {
      story: "given another password",
      next: [ANN, { ...BOB, password: new Secret("$argon2id$") }],
    },
    { story: "given other rights", next: [ANN, { ...BOB, access: "full" as const }] },
  ])("a user who is $story hears no more", async ({ next }) => {
    let users: readonly (typeof next)[number][] = [ANN, BOB];
    const { deps, clock } = fakeDeps({ access: () => ({ users, hosts: [] }) });
    const app = adminApp(deps);
    const { token } = await logIn(app, "bob");
    const { state } = await listen(app, { Authorization: `Bearer ${token}` });
    users = next;
    await clock.advance(1000);
    await settled();
    expect(state.over).toBe(true);
  });

  test("a logout ends it", async () => {
    const { deps, clock } = fakeDeps();
    const app = adminApp(deps);
    const { cookie, csrf } = await logIn(app, "ann");
    const { state } = await listen(app, { Cookie: cookie });
    const headers = { Cookie: cookie, "X-CSRF-Token": csrf };
    await app.request("/api/v1/logout", { method: "POST", headers }, caller("loopback"));
    await clock.advance(1000);
    await settled();
    expect(state.over).toBe(true);
  });

  test("a removed user is gone at once, not after a second", async () => {
    let users: readonly (typeof ANN | typeof BOB)[] = [ANN, BOB];
    const { deps } = fakeDeps({ access: () => ({ users, hosts: [] }) });
    const edit = deps.config.edit.bind(deps.config);
    const app = adminApp({
      ...deps,
      config: {
        ...deps.config,
        edit: (what, who, edits) => ((users = [ANN]), edit(what, who, edits)),
      },
    });
    const { token } = await logIn(app, "bob");
    const { state } = await listen(app, { Authorization: `Bearer ${token}` });
    await app.request("/api/v1/users/bob", { method: "DELETE" }, caller("unix"));
    await settled();
    expect(state.over).toBe(true);
  });
});
