import { chmodSync, lstatSync, renameSync, rmSync } from "node:fs";

import type { Server, TLSOptions } from "bun";

import type { Caller } from "../admin/deps.ts";
import { type Address, showAddress } from "../core/address.ts";
import { listenStream } from "../sys/listen.ts";
import { close } from "../sys/socket.ts";
import { Failure } from "./failure.ts";

/** Answers a request of somebody. `adminApp(...).fetch` is one. */
export type AdminFetch = (request: Request, caller: Caller) => Response | Promise<Response>;

/** Only its owner: whoever can open it may do everything. */
const SOCKET_MODE = 0o600;
/** Longest time for an answer, in seconds: a reload or an upgrade may take it. */
const ANSWER_S = 120;
/** Bytes; a request of this API is small. */
const MAX_BODY = 2 ** 20;

/** One address of the admin API. */
export class AdminServer {
  readonly #listener: Address;
  readonly #fetch: AdminFetch;
  #server: Server<undefined>;
  #tls: TLSOptions | undefined;
  readonly #path: string | undefined;
  readonly #inode: bigint | undefined;
  readonly #closing = new AbortController();

  /**
   * Throws Failure. `sharing`: the process we replace, or we ourselves, listen there too, and that
   * is right. `tls` is not for unix sockets.
   */
  constructor(listener: Address, fetch: AdminFetch, sharing: boolean, tls?: TLSOptions) {
    this.#listener = listener;
    const closing = this.#closing.signal;
    this.#fetch = (request, caller) => fetch(request, { ...caller, closing });
    this.#tls = tls;
    try {
      this.#server =
        listener.kind === "unix"
          ? openSocket(listener, this.#fetch)
          : openPort(listener, this.#fetch, sharing, tls);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Failure(`admin: cannot listen on ${showAddress(listener)}: ${why}`, { cause });
    }
    this.#path = listener.kind === "unix" ? listener.path : undefined;
    this.#inode = this.#path === undefined ? undefined : inodeOf(this.#path);
  }

  /** 0 for a unix socket. */
  get port(): number {
    return this.#server.port ?? 0;
  }

  /** Go on with another certificate, if it is another; connections that are open stay as they are. */
  renew(tls: TLSOptions): void {
    const listener = this.#listener;
    if (listener.kind === "unix" || this.#tls === undefined || this.#tls === tls) return;
    const before = this.#server;
    this.#server = openPort({ ...listener, port: this.port }, this.#fetch, true, tls);
    this.#tls = tls;
    void before.stop();
  }

  /** Take no more and answer what is in hand; "at once" drops that too. */
  async close(how: "gently" | "at once"): Promise<void> {
    if (this.#path !== undefined && inodeOf(this.#path) === this.#inode) rmSync(this.#path);
    this.#closing.abort();
    await this.#server.stop(how === "at once");
  }
}

/**
 * Bound under another name and then moved, so that the name is never without somebody behind it,
 * never open to others, and the one who listened before (a crash's leftover, or the process we
 * replace) cannot unlink ours when it goes.
 */
function openSocket(listener: Address & { kind: "unix" }, fetch: AdminFetch): Server<undefined> {
  const temporary = `${listener.path}.${process.pid}`;
  rmSync(temporary, { force: true });
  const server = serve(listener, { unix: temporary }, fetch);
  chmodSync(temporary, SOCKET_MODE);
  renameSync(temporary, listener.path);
  return server;
}

function openPort(
  listener: Address & { kind: "tcp" },
  fetch: AdminFetch,
  sharing: boolean,
  tls: TLSOptions | undefined,
): Server<undefined> {
  // Ports are shared so that an upgrade can overlap; anybody else on the port must be noticed.
  if (!sharing) refuseTaken(listener);
  const hostname = listener.host === "" ? "::" : listener.host;
  const where = { hostname, port: listener.port, reusePort: true };
  return serve(listener, { ...where, ...(tls && { tls }) }, fetch);
}

function refuseTaken(listener: Address): void {
  const options = { backlog: 1, reusePort: false, fastOpen: 0, deferAccept: 0 };
  close(listenStream(listener, options).fd);
}

function serve(
  listener: Address,
  where:
    { unix: string } | { hostname: string; port: number; reusePort: boolean; tls?: TLSOptions },
  fetch: AdminFetch,
): Server<undefined> {
  const secure = "tls" in where;
  const options = {
    maxRequestBodySize: MAX_BODY,
    development: false,
    fetch: (request: Request, server: Server<undefined>) => {
      server.timeout(request, ANSWER_S);
      const client = listener.kind === "unix" ? "" : (server.requestIP(request)?.address ?? "");
      return fetch(request, { listener, client, secure });
    },
  };
  return "unix" in where
    ? Bun.serve({ ...options, ...where })
    : Bun.serve({ ...options, ...where });
}

function inodeOf(path: string): bigint | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}
