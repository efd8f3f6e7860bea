import { adminApp } from "../../src/admin/app.ts";
import type { Changed } from "../../src/admin/deps.ts";
import { Secret } from "../../src/config/secret.ts";
import { systemClock } from "../../src/core/clock.ts";
import { Journal } from "../../src/observe/journal.ts";
import { ANN, BOB, fakeDeps } from "../admin/fake-deps.ts";
import { type Model, model } from "./console-model.ts";

/** The admin API over a made-up appliance: whatever the console can show, without traffic. */
export interface FakeApi extends AsyncDisposable {
  readonly url: string;
  readonly model: Model;
  /** What was asked, as `pools state {"pool":…}`. */
  readonly done: readonly string[];
  /** End every session, as a changed password does; `false` brings the old passwords back. */
  expire(expired?: boolean): void;
  /** Something happened. */
  say(message: string, fields: object): void;
  /** Break every line that is open, and refuse new ones until called with false. */
  cut(broken: boolean): void;
}

const SECOND_MS = 1000;

/** Logging in is the real thing: ann may change, bob may look (see fake-deps). */
export function fakeApi(port = 0): FakeApi {
  const appliance = model();
  const done: string[] = [];
  const journal = new Journal(500);
  for (const { at, level, message, fields } of appliance.past())
    journal.add(level, message, fields, at);
  const say = (message: string, fields: object): void =>
    journal.add("info", message, { ...fields }, Date.now());

  const { deps } = fakeDeps();
  let users = [ANN, BOB] as readonly {
    name: string;
    password: Secret;
    access: "full" | "readonly";
  }[];
  const changed = (what: string, who: string): Changed => {
    say("changed", { who, what });
    const { generation, unsaved } = appliance.text;
    return { kind: "done", changed: [], notes: [], generation, unsaved };
  };
  const app = adminApp({
    ...deps,
    clock: systemClock,
    access: () => ({ users, hosts: [] }),
    status: () => ({ ...appliance.figures().status }),
    figures: async () => ({ ...appliance.figures() }),
    services: () => appliance.services(),
    changes: () => appliance.changes(),
    journal,
    config: {
      ...deps.config,
      get generation() {
        return appliance.text.generation;
      },
      masked: () => appliance.text.running,
      check: (text) => ({ problems: appliance.check(text), warnings: [] }),
      put: async (text, who, { base } = {}): Promise<Changed> => {
        const { generation } = appliance.text;
        if (base !== undefined && base !== generation) return { kind: "stale", generation };
        const problems = appliance.check(text);
        if (problems.length > 0) return { kind: "bad config", problems };
        appliance.text.put(text, "the whole config", who);
        return changed("the whole config", who);
      },
      edit: async (what, who) => {
        const [, name = "", , , access = ""] = what.split(" ");
        const others = users.filter((u) => u.name !== name);
        const one = {
          name,
          password: ANN.password,
          access: access === "full" ? "full" : "readonly",
        } as const;
        users = what.endsWith("removed") ? others : [...others, one];
        return changed(what, who);
      },
      save: async (who) => {
        appliance.text.save();
        say("saved", { who });
        return { kind: "saved", file: "/etc/tern/tern.yaml", notes: [] };
      },
      diff: () => appliance.text.diff(),
    },
    run: async (service, action, input) => {
      done.push(`${service} ${action} ${JSON.stringify(input)}`);
      return {
        kind: "done",
        value: appliance.ask(service, action, input as Record<string, string>),
      };
    },
    change: async (service, change, input, who) => {
      done.push(`${service} ${change} ${JSON.stringify(input)}`);
      try {
        appliance.ask(service, change, input as Record<string, string>);
      } catch (error) {
        return { kind: "cannot", why: error instanceof Error ? error.message : String(error) };
      }
      const what = `${service} ${change}`;
      appliance.text.put(`${appliance.text.running}# ${what}\n`, what, who);
      return changed(what, who);
    },
  });

  let broken = false;
  let closing = new AbortController();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    idleTimeout: 0,
    fetch(request) {
      if (broken && request.url.endsWith("/events")) return new Response(null, { status: 503 });
      return app.fetch(request, {
        listener: { kind: "tcp", host: "127.0.0.1", port: 0 },
        client: "127.0.0.1",
        secure: false,
        closing: closing.signal,
      });
    },
  });
  const timer = setInterval(() => appliance.tick(), SECOND_MS);

  return {
    url: server.url.origin,
    model: appliance,
    done,
    expire(expired = true) {
      const other = new Secret("$argon2id$changed");
      users = [ANN, BOB].map((user) => (expired ? { ...user, password: other } : user));
    },
    say,
    cut(now) {
      broken = now;
      closing.abort();
      closing = new AbortController();
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      closing.abort();
      await server.stop(true);
    },
  };
}
