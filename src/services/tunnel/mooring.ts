import type { Lease } from "../../core/lease.ts";
import type { Log } from "../../observe/log.ts";
import { SysError } from "../../sys/errno.ts";
import type { Host } from "../service.ts";
import type { KeyedConfig } from "./config.ts";
import { takePort } from "./leased.ts";
import type { Port } from "./port.ts";

/** How often a device is tried for that another process still has (an upgrade: the old one), or nobody can make. */
const RETRY_MS = 200;

/** A tunnel's hold on its device: taken, waited for, and made again when somebody has deleted it. */
export class Mooring {
  readonly #name: string;
  readonly #config: KeyedConfig;
  readonly #host: Host;
  readonly #log: Log;
  #lease: Lease<Port> | undefined;

  constructor(name: string, config: KeyedConfig, host: Host, log: Log) {
    this.#name = name;
    this.#config = config;
    this.#host = host;
    this.#log = log;
  }

  get port(): Port | undefined {
    return this.#lease?.value;
  }

  /** Take the device, unless somebody else has it now. Rejects with SysError: EPERM, ENOENT for the namespace. */
  async take(): Promise<void> {
    try {
      this.#lease = await takePort(this.#name, this.#config, this.#host);
    } catch (error) {
      if (!(error instanceof SysError) || error.code !== "EBUSY") throw error;
    }
  }

  /** The device, as soon as it can be had; undefined when `signal` aborts before. */
  async wait(signal: AbortSignal): Promise<Port | undefined> {
    for (let said = ""; !signal.aborted;) {
      await this.#host.clock.sleep(RETRY_MS, signal).catch(() => {});
      if (signal.aborted) return undefined;
      try {
        await this.take();
        // It may be the one that is gone, which another config has not given back yet.
        if (this.port?.isGone === true) await this.release();
        if (this.port !== undefined) return this.port;
      } catch (error) {
        const why = String(error);
        if (why !== said) this.#log.error("a tunnel has no device", { error });
        said = why;
      }
    }
    return undefined;
  }

  async release(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    await lease?.[Symbol.asyncDispose]();
  }
}
