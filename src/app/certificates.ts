import type { TlsConfig } from "../config/tls.ts";
import { systemClock } from "../core/clock.ts";
import { CertificateKeeper } from "../net/tls/keeper.ts";
import { CertificateStore } from "../net/tls/store.ts";
import type { Log } from "../observe/log.ts";
import { same } from "./same.ts";

/** The certificates of the appliance: one keeper per config, one store for ever. */
export class CertificateOffice {
  readonly store = new CertificateStore();
  readonly #state: string;
  readonly #log: Log;
  #config: TlsConfig | undefined;
  #keeper: CertificateKeeper | undefined;
  #running = new AbortController();

  constructor(state: string, log: Log) {
    this.#state = state;
    this.#log = log;
  }

  get status(): CertificateKeeper["status"] | undefined {
    return this.#keeper?.status;
  }

  /**
   * Read all that `config` names; undefined when it is what is kept already. Throws
   * CertificateError. `publish` resolves when every worker has what the store holds.
   */
  async prepare(
    config: TlsConfig,
    publish: () => Promise<void>,
  ): Promise<{ fill(): void; run(): void } | undefined> {
    if (this.#config !== undefined && same(config, this.#config)) return undefined;
    const keeper = await CertificateKeeper.prepare(config, {
      state: this.#state,
      clock: systemClock,
      wall: Date.now,
      dice: Math.random,
      log: this.#log,
    });
    return {
      /** Into the store. */
      fill: () => {
        this.#running.abort();
        this.#running = new AbortController();
        this.#config = config;
        this.#keeper = keeper;
        keeper.start(this.store);
      },
      /** Follow files and renew, from now on. */
      run: () => {
        keeper
          .run(this.store, publish, this.#running.signal)
          .catch((error: unknown) =>
            this.#log.error("certificates are not kept any more", { error }),
          );
      },
    };
  }

  close(): void {
    this.#running.abort();
  }
}
