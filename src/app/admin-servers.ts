import type { AdminConfig } from "../config/admin.ts";
import { type Address, showAddress } from "../core/address.ts";
import { type AdminFetch, AdminServer } from "./admin-server.ts";

/** The addresses of the admin API, kept equal to the config. */
export class AdminServers {
  readonly #fetch: AdminFetch;
  readonly #open = new Map<string, { readonly address: Address; readonly server: AdminServer }>();

  readonly #closing = new Set<Promise<void>>();

  constructor(fetch: AdminFetch) {
    this.#fetch = fetch;
  }

  /** Open what `config` adds. Throws Failure, and then nothing is open that was not before. */
  prepare(
    config: Pick<AdminConfig, "listen" | "socket">,
    sharing = false,
  ): { commit(): Promise<void>; abandon(): void } {
    const wanted: readonly Address[] = [{ kind: "unix", path: config.socket }, ...config.listen];
    const names = new Set(wanted.map(showAddress));
    const fresh = wanted.filter((address) => !this.#open.has(showAddress(address)));
    const opened: string[] = [];
    const abandon = (): void => {
      for (const name of opened) void this.#close(name, "at once");
    };
    try {
      for (const address of fresh) {
        const server = new AdminServer(address, this.#fetch, sharing);
        this.#open.set(showAddress(address), { address, server });
        opened.push(showAddress(address));
      }
    } catch (failed) {
      abandon();
      throw failed;
    }
    return {
      abandon,
      commit: async () => {
        const left = [...this.#open.keys()].filter((name) => !names.has(name));
        await Promise.all(left.map((name) => this.#close(name, "gently")));
      },
    };
  }

  /** Where it listens, with the ports the kernel chose. */
  get listeners(): readonly Address[] {
    return [...this.#open.values()].map(({ address, server }) =>
      address.kind === "tcp" ? { ...address, port: server.port } : address,
    );
  }

  /** Resolves when the last answer is out, also of those that were told to close before. */
  async close(how: "gently" | "at once"): Promise<void> {
    for (const name of this.#open.keys()) void this.#close(name, how);
    await Promise.all(this.#closing);
  }

  async #close(name: string, how: "gently" | "at once"): Promise<void> {
    const server = this.#open.get(name)?.server;
    this.#open.delete(name);
    if (!server) return;
    const closed = server.close(how);
    this.#closing.add(closed);
    await closed;
    this.#closing.delete(closed);
  }
}
