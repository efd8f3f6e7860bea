import { type PasswordKind, passwordKind } from "../core/password-kind.ts";
import { Refusal, scalar } from "./scalar.ts";
import { type Reference, surroundings } from "./surroundings.ts";

/** What is shown in place of every secret. */
export const MASK = "***";

/** A text that is not to be seen: logs, JSON and the inspector show a mask, or where it is from. */
export class Secret {
  readonly #value: string;
  /** `file:./guest.hash` or `env:NAME`; undefined when it stood in the config itself. */
  readonly reference: string | undefined;

  constructor(value: string, reference?: string) {
    this.#value = value;
    this.reference = reference;
  }

  /** The text itself. Keep it for as short as possible. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return this.reference ?? MASK;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `Secret(${this.toString()})`;
  }
}

/** A secret: the text itself, or where it is: `file:PATH` (without its last line end), `env:NAME`. */
export const secret = scalar('a secret: a text, "file:PATH" or "env:NAME"', readSecret);

/** A hash that is checked beside the traffic, whoever guesses how fast: argon2id, or bcrypt. */
export const passwordHash = scalar('an argon2id hash ("$argon2id$...")', (text) =>
  readHash(text, ["argon2id", "bcrypt"], "argon2id"),
);

/** The same, or any hash of crypt(3): DES, $1$, $5$, $6$, $2b$, $2y$, $y$. Checking those blocks. */
export const loginHash = scalar('a password hash ("$argon2id$...")', (text) =>
  readHash(text, undefined, "password"),
);

function readHash(
  text: string,
  kinds: readonly PasswordKind[] | undefined,
  what: string,
): Secret | undefined {
  const hash = readSecret(text);
  const value = hash?.reveal() ?? "";
  const kind = passwordKind(value);
  const from = hash?.reference;
  const subject = from === undefined ? "this is" : `${from} holds`;
  if (kind !== undefined && (kinds ?? [kind]).includes(kind)) {
    if (surroundings().verifies(value)) return hash;
    throw new Refusal(
      `${subject} a hash (${kind}) that the C library of this machine cannot check; ` +
        "make one with `tern hash-password`",
    );
  }
  // What stands in the config itself may be a placeholder: a warning says so (see warnings.ts).
  if (from === undefined && isPasswordHash(value)) return hash;
  throw new Refusal(
    `${subject} no ${what} hash ("$argon2id$..."); make one with \`tern hash-password\``,
  );
}

/** Does it begin as argon2id hashes do? */
export function isPasswordHash(text: string): boolean {
  return text.startsWith("$argon2id$");
}

/** `env:NAME` or `file:PATH`; undefined when the text is the secret itself. */
export function parseReference(text: string): Reference | undefined {
  if (text.startsWith("env:")) return { kind: "env", name: text.slice("env:".length) };
  if (text.startsWith("file:")) return { kind: "file", path: text.slice("file:".length) };
  return undefined;
}

function readSecret(text: string): Secret | undefined {
  const reference = parseReference(text);
  if (reference === undefined) return text === "" ? undefined : new Secret(text);
  let value: string;
  try {
    value = surroundings()
      .reveal(reference)
      .replace(/\r?\n$/, "");
  } catch (error) {
    throw new Refusal(`cannot read ${text}: ${error instanceof Error ? error.message : error}`);
  }
  if (value === "") throw new Refusal(`cannot read ${text}: it is empty`);
  return new Secret(value, text);
}
