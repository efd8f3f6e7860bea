import * as v from "valibot";

import { actionForms } from "../../src/admin/action-forms.ts";
import { adminApp } from "../../src/admin/app.ts";
import type { AdminDeps, Caller } from "../../src/admin/deps.ts";
import { check, runAction } from "../../src/admin/run-action.ts";
import { written } from "../../src/config/edit.ts";
import { duration } from "../../src/config/scalars.ts";
import { Secret } from "../../src/config/secret.ts";
import type { Address } from "../../src/core/address.ts";
import { Journal } from "../../src/observe/journal.ts";
import { type LogFields, silent } from "../../src/observe/log.ts";
import { FakeClock } from "../fake/clock.ts";

export const PASSWORD = { ann: "correct horse", bob: "battery staple" } as const;

/** As cheap as argon2id can be: these tests check hundreds. */
const CHEAP = { algorithm: "argon2id", memoryCost: 8, timeCost: 1 } as const;
const [annHash, bobHash] = await Promise.all([
  Bun.password.hash(PASSWORD.ann, CHEAP),
  Bun.password.hash(PASSWORD.bob, CHEAP),
]);
export const ANN = { name: "ann", password: new Secret(annHash), access: "full" } as const;
export const BOB = { name: "bob", password: new Secret(bobHash), access: "readonly" } as const;

const purge = {
  about: "Forget what is cached.",
  input: v.strictObject({ older: v.optional(duration, "1h"), path: v.optional(v.string()) }),
  run: async (input: { older: number }) => {
    if (input.older === 0) throw new Error("purge: EIO");
    return { purged: input.older };
  },
};

const state = v.strictObject({ host: v.optional(v.string()) });
const CHANGED = { kind: "done", changed: ["pools"], notes: [], generation: 8, unsaved: 1 } as const;

/** An appliance with one service, which writes down what is asked of it. */
export function fakeDeps(more: Partial<AdminDeps> = {}) {
  const clock = new FakeClock();
  const done: string[] = [];
  const logged: [string, LogFields | undefined][] = [];
  const note = (message: string, fields?: LogFields) => void logged.push([message, fields]);
  const journal = new Journal(10);
  const deps: AdminDeps = {
    version: "1.2.3",
    clock,
    log: { ...silent, info: note, warn: note, error: note },
    access: () => ({ users: [ANN, BOB], hosts: ["admin.example"] }),
    status: () => ({ uptime: 5, workers: [{ index: 0, pid: 7 }], "<odd>": '"&' }),
    config: {
      generation: 7,
      masked: () => "workers: 1\n",
      written: () => written("{}"),
      filed: () => written("{}"),
      check: (text) => {
        done.push(`check ${text}`);
        return { problems: [], warnings: [] };
      },
      put: async (text, who) => (done.push(`${who} puts ${text}`), CHANGED),
      edit: async (what, who) => (done.push(`${who}: ${what}`), CHANGED),
      save: async (who) => (
        done.push(`${who} saves`),
        { kind: "saved", file: "/etc/tern.yaml", notes: [] }
      ),
      diff: () => ({
        file: "/etc/tern.yaml",
        changedOnDisk: false,
        changed: ["workers"],
        diff: "-workers: 1\n+workers: 2\n",
        unsaved: [{ at: 5, who: "ann", what: "workers" }],
      }),
    },
    reopen: () => void done.push("reopen"),
    reload: async () => (
      done.push("reload"),
      { ok: true, changed: ["web"], notes: [], dropped: [] }
    ),
    stop: () => void done.push("stop"),
    upgrade: async () => (done.push("upgrade"), { pid: 8 }),
    metricsText: async () => "tern_up 1\n",
    services: () => [
      {
        name: "web",
        about: "files",
        levels: ["open"],
        stats: () => ({ requests: 3 }),
        actions: actionForms({ purge }),
      },
    ],
    run: (service, action, input) => {
      done.push(`${service} ${action}`);
      return runAction(purge, input);
    },
    changes: () => ({ pools: actionForms({ state: { about: "Set a server.", input: state } }) }),
    change: async (service, change, input, who) => {
      done.push(`${who}: ${service} ${change}`);
      const checked = check(state, input);
      return checked.kind === "refused" ? checked : CHANGED;
    },
    journal,
    figures: async () => ({ status: { generation: 7 }, services: {}, totals: {} }),
    health: () => true,
    ready: () => true,
    ...more,
  };
  return { deps, clock, done, logged, journal };
}

const LISTENERS = {
  loopback: { kind: "tcp", host: "127.0.0.1", port: 9900 },
  public: { kind: "tcp", host: "192.0.2.1", port: 9900 },
  everywhere: { kind: "tcp", host: "", port: 9900 },
  unix: { kind: "unix", path: "/run/tern.sock" },
} as const satisfies Record<string, Address>;

/** A caller as a listener would describe it. */
export function caller(on: keyof typeof LISTENERS, more: Partial<Caller> = {}): Caller {
  return {
    listener: LISTENERS[on],
    client: on === "unix" ? "" : "127.0.0.1",
    secure: false,
    ...more,
  };
}

export type App = ReturnType<typeof adminApp>;

export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
}

/** Log in as a program does. */
export async function logIn(app: App, name: keyof typeof PASSWORD, from = caller("loopback")) {
  const response = await app.request(
    "/api/v1/login",
    postJson({ name, password: PASSWORD[name] }),
    from,
  );
  if (response.status !== 200)
    throw new Error(`login: ${response.status} ${await response.text()}`);
  const { token, csrf } = (await response.json()) as { token: string; csrf: string };
  const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
  return { token, csrf, cookie };
}

export function postJson(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}
