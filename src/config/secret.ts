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

/** An argon2id hash, as `tern hash-password` prints it; may be a reference too. */
export const passwordHash = scalar('an argon2id hash ("$argon2id$...")', (text) => {
  const hash = readSecret(text);
  const { reference } = hash ?? {};
  const value = hash?.reveal() ?? "";
  // What stands in the config itself may be a placeholder: a warning says so (see warnings.ts).
  if (reference === undefined ? isPasswordHash(value) : isWholeHash(value)) return hash;
  throw new Refusal(
    `${reference === undefined ? "this is" : `${reference} holds`} no argon2id hash ` +
      '("$argon2id$..."); make one with `tern hash-password`',
  );
});

/** Does it begin as argon2id hashes do? */
export function isPasswordHash(text: string): boolean {
  return text.startsWith("$argon2id$");
}

/** Is it a hash that a password can fit, in the PHC string format? */
export function isWholeHash(text: string): boolean {
  return /^\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/.test(text);
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
