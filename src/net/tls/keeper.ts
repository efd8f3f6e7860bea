import { readFile } from "node:fs/promises";

import { Acme, type Lent, type Named } from "./acme.ts";
import { CertificateError, type Pair } from "./certificate.ts";
import { CertificateFiles, type PairFiles } from "./files.ts";
import type { Proof, Proofs } from "./issue.ts";
import type { CertificateStore } from "./store.ts";

/** The `tls:` section. Paths are as the program can open them. */
export interface TlsOptions {
  readonly certificates: readonly PairFiles[];
  readonly acme: AcmeOptions | undefined;
  readonly minVersion: "1.2" | "1.3";
}

export interface AcmeOptions {
  /** URL of the CA's directory. */
  readonly directory: string;
  readonly email: string | undefined;
  readonly names: readonly string[];
  /** Path of the PEM root the CA itself is trusted by. */
  readonly ca: string | undefined;
}

/** A certificate from a file, for `status`. */
interface Filed {
  readonly names: readonly string[];
  readonly expires: number;
}

const LOOK_AT_FILES_MS = 2000;
const WARN_BEFORE_MS = 14 * 86_400_000;

/**
 * Keeps a store right, in the one process that does (the supervisor): files that change,
 * certificates that run out. `prepare`, `start`, then `run` until the next config.
 */
export class CertificateKeeper {
  readonly #options: TlsOptions;
  readonly #files: CertificateFiles;
  readonly #acme: Acme | undefined;
  readonly #lent: Lent;

  private constructor(
    options: TlsOptions,
    files: CertificateFiles,
    acme: Acme | undefined,
    lent: Lent,
  ) {
    this.#options = options;
    this.#files = files;
    this.#acme = acme;
    this.#lent = lent;
  }

  /** Read all that the config names. Throws CertificateError; changes nothing. */
  static async prepare(options: TlsOptions, lent: Lent): Promise<CertificateKeeper> {
    const files = await CertificateFiles.open(options.certificates);
    for (const pair of files.pairs) warnOfExpiry(pair, lent);
    const { acme } = options;
    if (acme === undefined) return new CertificateKeeper(options, files, undefined, lent);
    const ca = { directory: acme.directory, email: acme.email, root: await rootOf(acme.ca) };
    return new CertificateKeeper(options, files, await Acme.prepare(acme.names, ca, lent), lent);
  }

  /** Put what there is into the store. Names of files come before those from the CA. */
  start(store: CertificateStore): void {
    const filed = this.#files.pairs.map((p) => p.certificate);
    store.change({
      minVersion: this.#options.minVersion,
      certificates: [...filed, ...(this.#acme?.certificates ?? [])],
    });
  }

  /**
   * Follow files and renew until told to stop. `publish` is called after every change of the
   * store and resolves when every worker has it.
   */
  async run(
    store: CertificateStore,
    publish: () => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const changed = async (): Promise<void> => {
      if (signal.aborted) return; // the next config's keeper has the store now
      this.start(store);
      await publish();
    };
    await Promise.all([
      this.#follow(changed, signal),
      this.#acme?.run(proofsIn(store, publish), changed, signal),
    ]);
  }

  get status(): { readonly files: readonly Filed[]; readonly acme: readonly Named[] } {
    const files = this.#files.pairs.map((p) => ({
      names: p.certificate.names,
      expires: p.notAfter,
    }));
    return { files, acme: this.#acme?.names ?? [] };
  }

  async #follow(changed: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#lent;
    if (this.#options.certificates.length === 0) return;
    while (!signal.aborted) {
      await clock.sleep(LOOK_AT_FILES_MS, signal).catch(() => {}); // aborted: the loop sees it
      if (!signal.aborted && (await this.#files.refresh(log))) await changed();
    }
  }
}

/** Proofs as the store's listeners show them. */
function proofsIn(store: CertificateStore, publish: () => Promise<void>): Proofs {
  const set = async (proof: Proof, there: boolean): Promise<void> => {
    const { tokens, challenges, records } = store.snapshot();
    switch (proof.kind) {
      case "http-01": {
        const { token, keyAuthorization } = proof;
        store.change({ tokens: edited(tokens, token, there ? keyAuthorization : undefined) });
        break;
      }
      case "tls-alpn-01": {
        const { name, certificate } = proof;
        store.change({ challenges: edited(challenges, name, there ? certificate : undefined) });
        break;
      }
      case "dns-01": {
        const { name, value } = proof;
        store.change({ records: edited(records, name, there ? value : undefined) });
      }
    }
    await publish();
  };
  return { offer: (proof) => set(proof, true), withdraw: (proof) => set(proof, false) };
}

function edited<T>(
  record: Readonly<Record<string, T>>,
  key: string,
  value: T | undefined,
): Record<string, T> {
  const rest = Object.entries(record).filter(([k]) => k !== key);
  return Object.fromEntries(value === undefined ? rest : [...rest, [key, value]]);
}

function warnOfExpiry(pair: Pair, { wall, log }: Lent): void {
  const left = pair.notAfter - wall();
  if (left > WARN_BEFORE_MS) return;
  const expires = new Date(pair.notAfter).toISOString();
  const { names } = pair.certificate;
  log.warn(left > 0 ? "certificate expires soon" : "certificate has expired", { names, expires });
}

async function rootOf(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  return readFile(path, "utf8").catch((cause: Error) => {
    throw new CertificateError(`${path}: ${cause.message}`, { cause });
  });
}
