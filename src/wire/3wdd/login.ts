/**
 * How 3wdd's ends find out whether they know the same token (numbers are int32, big-endian):
 *
 *     client                                              server
 *     length, "name:its address:its port:may redirect" →
 *                                                       ← length, the client's address as seen there
 *     length, MD5 of key#server's address#client's     →
 *                                                       ← 0, and frames; or 1, length, another port
 *
 * Whoever is not known is left without an answer. The key, MD5 of name#token in hexadecimal, is that
 * of the ciphers, too. The server proves nothing, and what is proved here can be said again by
 * whoever heard it: see the warning in services/tunnel/legacy.
 */
import type { Inbox } from "./inbox.ts";

/** MD5 of a text (latin1), in hexadecimal. */
export type Md5 = (text: string) => string;

/** What a step of the conversation leads to. */
export type Step =
  | { readonly kind: "waiting" }
  | { readonly kind: "say"; readonly bytes: Uint8Array }
  | { readonly kind: "accepted" }
  | { readonly kind: "elsewhere"; readonly port: number }
  | { readonly kind: "refused" };

/** What a client wants. */
export interface Wish {
  readonly name: string;
  /** The server's address, as the client reached it (IPv4). */
  readonly server: string;
  readonly port: number;
  /** May it be sent to another port? */
  readonly redirect: boolean;
}

const WAITING: Step = { kind: "waiting" };
const ACCEPTED: Step = { kind: "accepted" };
const REFUSED: Step = { kind: "refused" };
/** Longest text: a name of reasonable length with all the rest. */
const MOST_WISH = 512;
const MOST_ADDRESS = 15;
const MD5_TEXT = 32;
const MOST_PORT = 5;
const GO_ON = 0;
const ELSEWHERE = 1;

/** The key of a session: 32 characters, which are its bytes. */
export function sessionKey(name: string, token: string, md5: Md5): string {
  return md5(`${name}#${token}`);
}

function emitWish({ name, server, port, redirect }: Wish): Uint8Array {
  return emitText(`${name}:${server}:${port}:${redirect ? 1 : 0}`);
}

function parseWish(text: string): Wish | undefined {
  const [, name, server, digits, redirect] =
    /^([^:]+):(\d+\.\d+\.\d+\.\d+):(\d{1,5}):([01])$/.exec(text) ?? [];
  if (name === undefined || server === undefined || digits === undefined) return undefined;
  return { name, server, port: Number(digits), redirect: redirect === "1" };
}

/** The client's half. `step` until it says something else than waiting; at first it speaks. */
export class ClientLogin {
  readonly #wish: Wish;
  readonly #key: string;
  readonly #md5: Md5;
  #at: "begin" | "address" | "verdict" | "port" = "begin";

  constructor(wish: Wish, key: string, md5: Md5) {
    this.#wish = wish;
    this.#key = key;
    this.#md5 = md5;
  }

  step(inbox: Inbox): Step {
    switch (this.#at) {
      case "begin":
        this.#at = "address";
        return { kind: "say", bytes: emitWish(this.#wish) };
      case "address": {
        const own = inbox.text(MOST_ADDRESS);
        if (own === undefined) return WAITING;
        if (own === "") return REFUSED;
        this.#at = "verdict";
        return {
          kind: "say",
          bytes: emitText(proof(this.#key, this.#wish.server, own, this.#md5)),
        };
      }
      case "verdict": {
        const verdict = inbox.word();
        if (verdict === undefined) return WAITING;
        if (verdict === GO_ON) return ACCEPTED;
        if (verdict !== ELSEWHERE) return REFUSED;
        this.#at = "port";
        return this.step(inbox);
      }
      case "port": {
        const digits = inbox.text(MOST_PORT);
        if (digits === undefined) return WAITING;
        const port = /^\d+$/.test(digits) ? Number(digits) : 0;
        return port < 1 || port > 65_535 ? REFUSED : { kind: "elsewhere", port };
      }
    }
  }
}

/** The server's half. `keyOf` a session's name; undefined: there is none. */
export class ServerLogin {
  readonly #client: string;
  readonly #keyOf: (name: string) => string | undefined;
  readonly #md5: Md5;
  #wanted: string | undefined;
  /** The session, as soon as it is known. */
  name = "";

  /** `client`: its address as we see it. */
  constructor(client: string, keyOf: (name: string) => string | undefined, md5: Md5) {
    this.#client = client;
    this.#keyOf = keyOf;
    this.#md5 = md5;
  }

  step(inbox: Inbox): Step {
    if (this.#wanted === undefined) {
      const text = inbox.text(MOST_WISH);
      if (text === undefined) return WAITING;
      const wish = parseWish(text);
      const key = wish && this.#keyOf(wish.name);
      if (wish === undefined || key === undefined) return REFUSED;
      this.name = wish.name;
      this.#wanted = proof(key, wish.server, this.#client, this.#md5);
      return { kind: "say", bytes: emitText(this.#client) };
    }
    const said = inbox.text(MD5_TEXT);
    if (said === undefined) return WAITING;
    return said === this.#wanted ? ACCEPTED : REFUSED;
  }
}

/** The server's last word before frames. */
export const WELCOME: Uint8Array = Uint8Array.of(0, 0, 0, GO_ON);

function proof(key: string, server: string, client: string, md5: Md5): string {
  return md5(`${key}#${server}#${client}`);
}

function emitText(text: string): Uint8Array {
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 0xff);
  const out = new Uint8Array(LENGTH_WORD + bytes.length);
  new DataView(out.buffer).setInt32(0, bytes.length);
  out.set(bytes, LENGTH_WORD);
  return out;
}

const LENGTH_WORD = 4;
