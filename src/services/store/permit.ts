/** Who may read and write which files. */
import { compileAccess, showCidr } from "../../core/cidr.ts";
import { BasicAuth } from "../../net/basic-auth.ts";
import { type HttpRequest, type HttpResponse, respond } from "../../wire/http/message.ts";
import type { StoreConfig } from "./config.ts";

const REALM = "store";

/** What a request wants to do with a path. */
export type Wish = "read" | "write";

export class Permit {
  readonly #addresses: Readonly<Record<Wish, (address: string) => boolean>>;
  readonly #users: StoreConfig["users"];
  readonly #auth: BasicAuth | undefined;

  constructor(config: Pick<StoreConfig, "write_permit" | "read_permit" | "users">) {
    this.#addresses = {
      read: compileAccess(config.read_permit),
      write: compileAccess(config.write_permit),
    };
    this.#users = config.users;
    const open = new Set(config.read_permit.map(showCidr));
    this.isOpen = open.has("0.0.0.0/0") && open.has("::/0");
    const hashes = Object.entries(config.users).map(([name, { password }]) => [
      name,
      password.reveal(),
    ]);
    if (hashes.length > 0) this.#auth = new BasicAuth(REALM, Object.fromEntries(hashes));
  }

  /** Everybody may read everything. */
  readonly isOpen: boolean;

  /** The refusal, or undefined: it may. `path` is without the stage; `now` in milliseconds. */
  async refuse(
    { client, headers }: Pick<HttpRequest, "client" | "headers">,
    wish: Wish,
    path: string,
    now: number,
  ): Promise<HttpResponse | undefined> {
    if (this.#addresses[wish](client.address)) return undefined;
    const denied = respond(403, [], `You may not ${wish} this.\n`);
    if (this.#auth === undefined) return denied;
    const who = await this.#auth.check(headers.get("authorization"), now);
    if (typeof who === "string")
      return respond(401, [["WWW-Authenticate", this.#auth.challenge]], "Who are you?\n");
    const user = this.#users[who.user];
    const may =
      user !== undefined &&
      path.startsWith(user.prefix) &&
      (wish === "read" || user.access === "full");
    return may ? undefined : denied;
  }

  /** The user who sends it; undefined: nobody who is known. `now` in milliseconds. */
  async who({ headers }: Pick<HttpRequest, "headers">, now: number): Promise<string | undefined> {
    const who = await this.#auth?.check(headers.get("authorization"), now);
    return typeof who === "object" ? who.user : undefined;
  }
}
