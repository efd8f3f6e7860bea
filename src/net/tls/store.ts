import type { Certificate, Certificates } from "../certificates.ts";

/** Everything a store answers from, as plain JSON: what the supervisor sends to its workers. */
export interface Snapshot {
  readonly version: number;
  readonly minVersion: "1.2" | "1.3";
  /** The first one answers for names that none is for. */
  readonly certificates: readonly Certificate[];
  /** tls-alpn-01 answers by name. */
  readonly challenges: Readonly<Record<string, Certificate>>;
  /** http-01 answers by token. */
  readonly tokens: Readonly<Record<string, string>>;
  /** dns-01 answers, what TXT says, by name. */
  readonly records: Readonly<Record<string, string>>;
}

const NOTHING: Snapshot = {
  version: 0,
  minVersion: "1.2",
  certificates: [],
  challenges: {},
  tokens: {},
  records: {},
};

/** Which certificate answers for which name. Listeners hold on to it; its contents change. */
export class CertificateStore implements Certificates {
  #state: Snapshot;
  #byName = new Map<string, Certificate>();

  constructor(state: Snapshot = NOTHING) {
    this.#state = state;
    this.#index();
  }

  find(name: string | undefined): Certificate | undefined {
    return (
      (name && (this.#byName.get(name) ?? this.#byName.get(wildcardFor(name)))) ||
      this.#state.certificates[0]
    );
  }

  all(): readonly Certificate[] {
    return this.#state.certificates;
  }

  challenge(name: string): Certificate | undefined {
    return own(this.#state.challenges, name);
  }

  keyAuthorization(token: string): string | undefined {
    return own(this.#state.tokens, token);
  }

  dnsProof(name: string): string | undefined {
    return own(this.#state.records, name);
  }

  get minVersion(): "1.2" | "1.3" {
    return this.#state.minVersion;
  }

  get version(): number {
    return this.#state.version;
  }

  snapshot(): Snapshot {
    return this.#state;
  }

  /** Become what another process's store is. */
  load(state: Snapshot): void {
    const version = Math.max(state.version, this.#state.version + 1);
    // The same certificate stays the same object: TLS contexts are kept by it.
    const known = this.#state.certificates;
    const certificates = state.certificates.map(
      (c) => known.find((k) => k.cert === c.cert && k.key === c.key) ?? c,
    );
    this.#state = { ...state, version, certificates };
    this.#index();
  }

  change(part: Partial<Omit<Snapshot, "version">>): void {
    this.load({ ...this.#state, ...part });
  }

  #index(): void {
    this.#byName.clear();
    // Backwards, so that the first certificate for a name is the one that stays.
    for (const certificate of this.#state.certificates.toReversed())
      for (const name of certificate.names) this.#byName.set(name, certificate);
  }
}

/** A wildcard stands for exactly one label (RFC 6125, 6.4.3). */
function wildcardFor(name: string): string {
  return `*${name.slice(Math.max(name.indexOf("."), 0))}`;
}

/** Strangers choose these keys: `constructor` is not a token. */
function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
