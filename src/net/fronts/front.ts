import { compileAccess } from "../../core/cidr.ts";
import type { SocketOptions } from "../../core/socket-options.ts";
import type { AccessLog } from "../../observe/access-log.ts";
import { peerOf } from "../../sys/peer.ts";
import { close } from "../../sys/socket.ts";
import type { HttpRequest, HttpResponse } from "../../wire/http/message.ts";
import { type Head } from "../../wire/http1/head.ts";
import { Slot } from "../../wire/http1/known-fields.ts";
import type { ClientHello } from "../../wire/tls/client-hello.ts";
import { Acceptor } from "../acceptor.ts";
import type { Certificates } from "../certificates.ts";
import { DEFAULT_LIMITS, type HttpLimits } from "../http-fronts.ts";
import { PlainTransport, type Remote, remoteOf } from "../http1/plain-transport.ts";
import type { Reception } from "../http1/reception.ts";
import { ClientGone } from "../http1/request-body.ts";
import { Session } from "../http1/session.ts";
import type { Transport } from "../http1/transport.ts";
import type { ReactorLoop } from "../reactor-loop.ts";
import type { ListenSocket } from "../sockets.ts";
import type { Backstage } from "./backstage.ts";
import type { FrontDeps } from "./deps.ts";
import type { Guest } from "./guest.ts";
import type { Mount } from "./mount.ts";
import { Opening, type Wanted } from "./opening.ts";
import { PlainRelay } from "./plain-relay.ts";
import type { Relay } from "./relay.ts";
import { Routes } from "./routes.ts";
import { SecureGuest } from "./secure-guest.ts";
import { ACME_ALPN } from "./tls-options.ts";

/** How often deadlines are looked at: they may be missed by as much. */
const SWEEP_MS = 500;
/** A connection idle this long may be closed while draining: its client is not about to speak. */
const DRAIN_IDLE_MS = 1000;

/** One HTTP listener of this process: accepts, and knows which site answers. */
export class Front implements Reception {
  readonly name: string;
  readonly reactor: ReactorLoop;
  readonly routes = new Routes();
  limits: HttpLimits = DEFAULT_LIMITS;
  draining = false;
  /** Requests read so far, for `status`. */
  requests = 0;
  readonly #deps: FrontDeps;
  readonly #backstage: Backstage;
  readonly #acceptor: Acceptor;
  readonly #options: SocketOptions;
  readonly #guests = new Set<Guest>();
  readonly #trusted: (address: string) => boolean;
  #secure = false;
  http2 = true;
  #sweepAt = 0;
  #forgetTurn: (() => void) | undefined;
  #empty: (() => void) | undefined;
  #drained: Promise<void> | undefined;

  constructor(
    name: string,
    socket: ListenSocket,
    options: SocketOptions,
    deps: FrontDeps,
    backstage: Backstage,
  ) {
    this.#backstage = backstage;
    this.name = name;
    this.#options = options;
    this.#deps = deps;
    this.reactor = deps.reactor;
    this.#acceptor = new Acceptor(socket, deps.reactor, {
      room: () => this.#guests.size < options.maxConnections,
      take: (fd) => this.#serve(fd),
      exhausted: () => deps.log.warn("out of files: connections wait", { listener: name }),
    });
    this.#trusted = compileAccess(options.trusted);
  }

  get minVersion(): Certificates["minVersion"] {
    return this.#deps.certificates.minVersion;
  }

  get now(): number {
    return this.reactor.now;
  }
  get connections(): number {
    return this.#guests.size;
  }
  get accessLog(): AccessLog | undefined {
    return this.#deps.accessLog;
  }

  add(mount: Mount): void {
    this.routes.add(mount);
    this.#limit();
    this.#forgetTurn ??= this.reactor.onTurn((now) => this.#turn(now));
    this.#acceptor.open();
  }

  /** With the last one gone nobody is let in: the address may be another service's now. */
  remove(mount: Mount): void {
    this.routes.remove(mount);
    this.#limit();
    if (this.routes.mounts.length === 0) this.#acceptor.close();
  }

  /** Take no new connections; answer what is in hand; close what is idle. Resolves when all are gone. */
  drain(deadline: AbortSignal): Promise<void> {
    this.#drained ??= this.#drain(deadline);
    // Whoever asks a second time may be less patient than the first.
    deadline.addEventListener("abort", () => this.#empty?.(), { once: true });
    return this.#drained;
  }

  async #drain(deadline: AbortSignal): Promise<void> {
    this.draining = true;
    this.#acceptor.last(this.#options.backlog); // who has been let in by the kernel is answered, too
    if (this.#guests.size > 0 && !deadline.aborted) {
      await new Promise<void>((resolve) => {
        this.#empty = resolve;
      });
    }
    // A guest takes itself out of the set, which a Set's iteration allows.
    for (const guest of this.#guests) guest.broken();
    this.#forgetTurn?.();
    this.#forgetTurn = undefined;
  }

  /** The site for a parsed head. */
  route(head: Head): Mount | undefined {
    return this.routes.route(head);
  }

  left(guest: Guest): void {
    this.#guests.delete(guest);
    this.#madeRoom();
  }

  /** The same connection goes on as another kind of guest. */
  becomes(old: Guest, next: Guest): void {
    this.#guests.delete(old);
    this.#guests.add(next);
  }

  /** A relay to the inner HTTP/2 server. */
  relay(first: Uint8Array | undefined, remote: Remote, secure: boolean, closed: () => void): Relay {
    this.nudge();
    return this.#backstage.relay(first, { front: this, remote, secure }, closed);
  }

  /** `fd` spoke the HTTP/2 preface in clear text. */
  relayPlain(fd: number, session: Session, first: Uint8Array, remote: Remote): void {
    this.becomes(session, new PlainRelay(this, fd, first, remote));
  }

  nudge(): void {
    this.reactor.nudge();
  }

  refused(status: number): void {
    this.#deps.metrics
      .counter("tern_http_refused_total", "Requests refused before a site was asked.", {
        listener: this.name,
        code: String(status),
      })
      .add(1);
  }

  /** A handler or its body failed; a client that left is nobody's fault. */
  trouble(error: unknown, request: HttpRequest | undefined): void {
    if (error instanceof ClientGone) return;
    this.#deps.log.error("request failed", { error, target: request?.target, host: request?.host });
  }

  log(request: HttpRequest, mount: Mount, response: HttpResponse, bytes: number, ms: number): void {
    this.#deps.accessLog?.write({
      service: mount.site.name,
      client: request.client.address,
      user: response.user,
      method: request.method,
      target: request.target,
      protocol: request.protocol,
      host: request.host,
      status: response.status,
      bytes,
      ms,
      referer: request.headers.get("referer"),
      agent: request.headers.get("user-agent"),
      upstream: response.upstream,
    });
  }

  logQuick(head: Head, mount: Mount, status: number, bytes: number, transport: Transport): void {
    this.#deps.accessLog?.write({
      service: mount.site.name,
      client: transport.remote().address,
      user: undefined,
      method: head.text(head.methodStart, head.methodEnd),
      target: head.text(head.targetStart, head.targetEnd),
      protocol: head.minor === 0 ? "HTTP/1.0" : "HTTP/1.1",
      host: head.text(head.hostStart, head.hostEnd).toLowerCase(),
      status,
      bytes,
      ms: 0,
      referer: head.value(Slot.referer) ?? null,
      agent: head.value(Slot.userAgent) ?? null,
    });
  }

  #limit(): void {
    const all = this.routes.mounts.map((m) => m.site.limits);
    if (all.length === 0) return;
    this.#secure = this.routes.mounts.some((m) => m.site.tls);
    this.http2 = this.routes.mounts.some((m) => m.site.http2);
    const most = (of: (l: HttpLimits) => number): number => Math.max(...all.map(of));
    this.limits = {
      maxHead: most((l) => l.maxHead),
      maxBody: most((l) => l.maxBody),
      headTimeout: most((l) => l.headTimeout),
      bodyTimeout: most((l) => l.bodyTimeout),
      keepAlive: most((l) => l.keepAlive),
    };
  }

  #madeRoom(): void {
    if (this.#guests.size === 0) this.#empty?.();
    if (!this.draining && this.routes.mounts.length > 0) this.#acceptor.open();
  }

  #serve(fd: number): void {
    const proxied =
      this.#options.proxyProtocol !== "off" && this.#trusted(remoteOf(peerOf(fd)).address);
    if (!proxied && !this.#secure) return this.#plain(fd, undefined);
    const wanted: Wanted = {
      proxy: proxied ? this.#options.proxyProtocol : "off",
      hello: this.#secure,
    };
    const deadline = this.now + this.limits.headTimeout;
    const opening = new Opening(fd, wanted, deadline, this.reactor, (opened) => {
      if (opened === undefined) return this.left(opening);
      this.#guests.delete(opening);
      if (opened.hello === undefined) this.#plain(fd, opened.remote);
      else this.#shake(fd, opened.remote, opened.hello);
    });
    this.#guests.add(opening);
    opening.look();
  }

  #plain(fd: number, remote: Remote | undefined): void {
    const transport = new PlainTransport(this, fd, remote);
    const session = new Session(this, transport, this.now);
    this.#guests.add(session);
    transport.run(session);
  }

  #shake(fd: number, remote: Remote | undefined, hello: ClientHello): void {
    const { certificates } = this.#deps;
    const challenged = hello.alpn.includes(ACME_ALPN) && hello.serverName !== undefined;
    const certificate = challenged
      ? certificates.challenge(hello.serverName ?? "")
      : certificates.find(hello.serverName);
    if (certificate === undefined) {
      close(fd);
      return this.#madeRoom();
    }
    const guest = new SecureGuest(this, fd, remote);
    this.#guests.add(guest);
    this.nudge();
    guest.shake(fd, certificate, hello);
  }

  #turn(now: number): void {
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_MS;
    for (const guest of this.#guests) {
      if (guest.deadline <= now) guest.late();
      else if (this.draining && now - guest.idleSince > DRAIN_IDLE_MS) guest.leaveIfIdle();
    }
  }
}
