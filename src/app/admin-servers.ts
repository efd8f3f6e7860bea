import type { AdminConfig } from "../config/admin.ts";
import { type Address, showAddress } from "../core/address.ts";
import { type Certificates, noCertificates } from "../net/certificates.ts";
import { type AdminFetch, AdminServer } from "./admin-server.ts";
import { AdminTls } from "./admin-tls.ts";

/** The addresses of the admin API, kept equal to the config. */
export class AdminServers {
  readonly #fetch: AdminFetch;
  readonly #tls: AdminTls;
  /** By address, and whether it speaks TLS. */
  readonly #open = new Map<string, { readonly address: Address; readonly server: AdminServer }>();
  readonly #closing = new Set<Promise<void>>();

  constructor(fetch: AdminFetch, certificates: Certificates = noCertificates) {
    this.#fetch = fetch;
    this.#tls = new AdminTls(certificates);
  }

  /** Open what `config` adds. Rejects with Failure, and then nothing is open that was not before. */
  async prepare(
    config: Pick<AdminConfig, "listen" | "socket" | "tls">,
    sharing = false,
  ): Promise<{ commit(): Promise<void>; abandon(): void }> {
    if (config.tls) await this.#tls.prepare();
    const wanted: readonly Address[] = [{ kind: "unix", path: config.socket }, ...config.listen];
    const nameOf = (address: Address): string =>
      `${showAddress(address)}${config.tls && address.kind === "tcp" ? " tls" : ""}`;
    const names = new Set(wanted.map(nameOf));
    const fresh = wanted.filter((address) => !this.#open.has(nameOf(address)));
    const opened: string[] = [];
    const abandon = (): void => {
      for (const name of opened) void this.#close(name, "at once");
    };
    try {
      for (const address of fresh) {
        const ours = this.listeners.some((held) => showAddress(held) === showAddress(address));
        const tls = config.tls && address.kind === "tcp" ? this.#tls.options : undefined;
        const server = new AdminServer(address, this.#fetch, sharing || ours, tls);
        this.#open.set(nameOf(address), { address, server });
        opened.push(nameOf(address));
      }
    } catch (failed) {
      abandon();
      throw failed;
    }
    return {
      abandon,
      commit: async () => {
        const left = [...this.#open.keys()].filter((name) => !names.has(name));
        // Not waited for: whoever asked for it may have come in there, and is answered first.
        for (const name of left) void this.#close(name, "gently");
      },
    };
  }

  /** Certificates have changed. */
  renew(): void {
    for (const [name, { server }] of this.#open)
      if (name.endsWith(" tls")) server.renew(this.#tls.options);
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
