/** Clients that come back to their server by a cookie: a token for it that only we can make. */
import { createHmac } from "node:crypto";

import type { Server } from "../../net/pools/pool.ts";
import type { HttpRequest } from "../../wire/http/message.ts";

/** Bytes of the token, in hex: enough that nobody guesses one. */
const TOKEN_BYTES = 16;

export interface StickyRules {
  readonly cookie: string;
  /** Asked for when it is first needed. */
  readonly key: () => Uint8Array | string;
  /** Milliseconds; 0: until the browser is closed. */
  readonly maxAge: number;
}

export class Sticky {
  readonly #rules: StickyRules;
  /** Of servers that were met: by pool and address. */
  readonly #tokens = new WeakMap<Server, { readonly of: string; readonly token: string }>();

  constructor(rules: StickyRules) {
    this.#rules = rules;
  }

  /** The token a client brings, if any. */
  wanted({ headers }: HttpRequest): string | undefined {
    const start = `${this.#rules.cookie}=`;
    const pair = headers
      .get("cookie")
      ?.split(";")
      .find((one) => one.trimStart().startsWith(start));
    return pair?.trim().slice(start.length);
  }

  /** Is this the server that the token is for? */
  isFor(token: string, pool: string, server: Server): boolean {
    return this.#tokenOf(pool, server) === token;
  }

  /** Value of Set-Cookie for who is with this server now. */
  cookie(pool: string, server: Server, secure: boolean): string {
    const { cookie, maxAge } = this.#rules;
    const age = maxAge === 0 ? "" : `; Max-Age=${Math.floor(maxAge / 1000)}`;
    return `${cookie}=${this.#tokenOf(pool, server)}; Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}${age}`;
  }

  #tokenOf(pool: string, server: Server): string {
    const of = `${pool} ${server.host} ${server.port}`;
    const known = this.#tokens.get(server);
    if (known?.of === of) return known.token;
    const mac = createHmac("sha256", this.#rules.key()).update(of).digest("hex");
    const token = mac.slice(0, TOKEN_BYTES * 2);
    this.#tokens.set(server, { of, token });
    return token;
  }
}
