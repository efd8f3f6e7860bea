import type { AdminConfig } from "../config/admin.ts";
import type { Clock } from "../core/clock.ts";
import { isPrivate } from "../core/loopback.ts";
import { BasicAuth } from "../net/basic-auth.ts";
import { Attempts } from "./attempts.ts";
import type { AdminAccess, Caller } from "./deps.ts";
import { type Session, Sessions } from "./sessions.ts";

type User = AdminConfig["users"][number];

/** Who stands at the door, and how they were known. */
export interface Visitor {
  readonly name: string;
  readonly access: "full" | "readonly";
  /** `nobody`: there are no users, and only this machine can ask. */
  readonly by: "socket" | "nobody" | "basic" | "bearer" | "cookie";
  /** Of `bearer` and `cookie`. */
  readonly login?: { readonly token: string; readonly session: Session };
  /** Of `basic`: the password hash that was right. */
  readonly hash?: string;
}

export type Answer =
  | { readonly kind: "visitor"; readonly visitor: Visitor }
  /** Nothing was shown, or nothing that is good. */
  | { readonly kind: "stranger" }
  /** Too many wrong passwords; milliseconds until the next may be tried. */
  | { readonly kind: "wait"; readonly ms: number };

export type Proof =
  { readonly kind: "user"; readonly user: User } | Exclude<Answer, { kind: "visitor" }>;

/** Knows the users under the config in force, who has logged in, and who guesses. */
export class Door {
  readonly sessions: Sessions;
  #clock: Clock;
  #access: () => AdminAccess;
  #attempts = new Attempts();
  #passwords: { readonly of: AdminAccess["users"]; readonly auth: BasicAuth } | undefined;
  /** Verifications under way: a script that opens ten connections shows one password, not ten. */
  #verifying = new Map<string, Promise<Proof>>();

  constructor(clock: Clock, access: () => AdminAccess) {
    this.sessions = new Sessions(clock);
    this.#clock = clock;
    this.#access = access;
  }

  /**
   * Who sends this? Authorization goes before the cookie: whoever shows both means the first.
   * Whoever shows something wrong is a stranger, even where showing nothing would do.
   */
  async who(
    authorization: string | null,
    cookie: string | undefined,
    caller: Caller,
  ): Promise<Answer> {
    if (caller.listener.kind === "unix") return visitor("unix socket", "full", "socket");
    if (authorization !== null) return this.#shown(authorization, caller);
    const known = cookie === undefined ? undefined : this.#session(cookie, "cookie");
    if (known) return known;
    // A stale cookie shows nothing wrong: its session has run out, that is all.
    const open = this.#access().users.length === 0 && isPrivate(caller.listener);
    return open ? visitor("anyone", "readonly", "nobody") : { kind: "stranger" };
  }

  /** Would this visitor still be let in, and to do as much? Nothing is counted as use. */
  still({ name, access, by, login, hash }: Visitor): boolean {
    if (by === "socket") return true;
    const { users } = this.#access();
    if (by === "nobody") return users.length === 0;
    const user = users.find((one) => one.name === name);
    if (user?.access !== access || user.password.reveal() !== (hash ?? login?.session.hash))
      return false;
    return login === undefined || this.sessions.has(login.token);
  }

  /** Check a name and a password, at the pace that guessing is allowed. */
  prove(name: string, password: string, caller: Caller): Promise<Proof> {
    const key = JSON.stringify([caller.client, name, password]);
    const running = this.#verifying.get(key) ?? this.#prove(name, password, caller.client);
    this.#verifying.set(key, running);
    return running.finally(() => this.#verifying.delete(key));
  }

  async #prove(name: string, password: string, client: string): Promise<Proof> {
    const wait = this.#attempts.begin(client, name, this.#clock.now());
    if (wait > 0) return { kind: "wait", ms: wait };
    const { users } = this.#access();
    const shown = `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
    const verdict = await this.#auth(users).check(shown, this.#clock.now());
    const user = users.find((u) => u.name === name);
    if (typeof verdict === "string" || verdict.user !== name || user === undefined) {
      this.#attempts.failed(client, name);
      return { kind: "stranger" };
    }
    this.#attempts.succeeded(client, name, this.#clock.now());
    return { kind: "user", user };
  }

  async #shown(authorization: string, caller: Caller): Promise<Answer> {
    const [, scheme = "", rest = ""] = /^(basic|bearer) +(\S+) *$/i.exec(authorization) ?? [];
    if (scheme.toLowerCase() === "bearer") {
      return this.#session(rest, "bearer") ?? { kind: "stranger" };
    }
    const text = Buffer.from(rest, "base64").toString();
    const colon = text.indexOf(":");
    if (colon < 0) return { kind: "stranger" };
    const proof = await this.prove(text.slice(0, colon), text.slice(colon + 1), caller);
    if (proof.kind !== "user") return proof;
    const { name, access, password } = proof.user;
    return { kind: "visitor", visitor: { name, access, by: "basic", hash: password.reveal() } };
  }

  /** Access is what the user has now, not when the session was opened. */
  #session(token: string, by: "bearer" | "cookie"): Answer | undefined {
    const session = this.sessions.find(token);
    if (!session) return undefined;
    const user = this.#access().users.find((u) => u.name === session.user);
    if (user?.password.reveal() !== session.hash) {
      this.sessions.close(token);
      return undefined;
    }
    return visitor(user.name, user.access, by, { token, session });
  }

  #auth(users: AdminAccess["users"]): BasicAuth {
    if (this.#passwords?.of !== users) {
      const hashes = Object.fromEntries(users.map((u) => [u.name, u.password.reveal()]));
      this.#passwords = { of: users, auth: new BasicAuth("tern", hashes) };
    }
    return this.#passwords.auth;
  }
}

function visitor(
  name: string,
  access: Visitor["access"],
  by: Visitor["by"],
  login?: Visitor["login"],
): { readonly kind: "visitor"; readonly visitor: Visitor } {
  return { kind: "visitor", visitor: { name, access, by, ...(login && { login }) } };
}
