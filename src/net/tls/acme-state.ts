import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { replaceFile, sweepTemporary } from "../../sys/durable.ts";
import { type Pair, readPair } from "./certificate.ts";

/**
 * What must not be lost about one CA: `account.pem`, and for each name `NAME.pem`, the key and
 * the chain together, so that no crash can leave the one without the other (`_.NAME.pem` for `*.NAME`).
 * All 0600.
 */
export class AcmeState {
  readonly #path: string;

  /** One folder per CA: a certificate from its staging side is none from its real one. */
  constructor(state: string, directory: URL) {
    const ca = `${directory.host}${directory.pathname}`.replace(/[^a-z0-9.]+/gi, "-");
    this.#path = join(state, "acme", ca);
  }

  async prepare(): Promise<void> {
    await mkdir(this.#path, { recursive: true, mode: 0o700 });
    await sweepTemporary(this.#path);
  }

  async accountKey(): Promise<string | undefined> {
    return this.#read("account.pem");
  }

  async keepAccountKey(key: string): Promise<void> {
    await replaceFile(join(this.#path, "account.pem"), key);
  }

  /** Undefined when there is none. Throws CertificateError when what is there cannot be served. */
  async certificate(name: string): Promise<Pair | undefined> {
    const text = await this.#read(fileOf(name));
    return text === undefined ? undefined : readPair(blocks(text, "CERTIFICATE"), keyIn(text));
  }

  /** Returns when it would survive a power cut. */
  async keepCertificate(name: string, key: string, chain: string): Promise<void> {
    await replaceFile(join(this.#path, fileOf(name)), `${key.trim()}\n${chain.trim()}\n`);
  }

  async #read(file: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.#path, file), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }
}

/** A wildcard's star would be one to shells as well; no host's label is `_`. */
function fileOf(name: string): string {
  return `${name.replace(/^\*(?=\.)/, "_")}.pem`;
}

function keyIn(text: string): string {
  return blocks(text, "(?:EC |RSA )?PRIVATE KEY");
}

function blocks(text: string, label: string): string {
  const block = new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----\n?`, "g");
  return (text.match(block) ?? []).join("");
}
