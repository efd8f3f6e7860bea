import { hostname } from "node:os";

import type { Closable, Lease } from "../../../core/lease.ts";
import type { Host } from "../../service.ts";
import type { TapConfig } from "./config.ts";
import { TapFile } from "./tap-file.ts";
import { TapSocket } from "./tap-socket.ts";
import { Tap, type TapSink } from "./tap.ts";

/** The tap of a server under one config. What it runs into outlives that. */
export class ServerTap {
  readonly tap: Tap;
  readonly #sink: Lease<TapSink & Closable>;

  private constructor(tap: Tap, sink: Lease<TapSink & Closable>) {
    this.tap = tap;
    this.#sink = sink;
  }

  /** Of the server `name`. Nothing is written or connected before `begin`. */
  static async take(name: string, config: TapConfig, host: Host): Promise<ServerTap> {
    const { messages, sample, identity } = config;
    const { key, make } = sinkOf(name, config, host);
    // What is leased under a name is what was made under it.
    const sink = (await host.leases.take(`dns tap ${name} ${key}`, async () => make())) as Lease<
      TapSink & Closable
    >;
    const wishes = { messages, sample, identity: identity ?? hostname() };
    return new ServerTap(new Tap(wishes, sink.value, host.clock, Math.random), sink);
  }

  begin(): void {
    const { value } = this.#sink;
    if (value instanceof TapSocket) value.begin();
  }

  async giveBack(): Promise<void> {
    this.tap.flush();
    await this.#sink[Symbol.asyncDispose]();
  }
}

function sinkOf(
  server: string,
  { socket, file, rotate, keep }: TapConfig,
  { clock, log, metrics, worker }: Host,
): { key: string; make: () => TapSink & Closable } {
  const lost = metrics.counter("tern_dns_tap_dropped_total", "Frames of dnstap that nobody took.", {
    server,
  });
  const dropped = (frames: number): void => lost.add(frames);
  if (file === null) {
    const path = socket ?? ""; // the schema wants one of them
    return { key: path, make: () => new TapSocket({ path, clock, log, dropped }) };
  }
  const path = worker.index === 0 ? file : `${file}-${worker.index}`;
  const trouble = (why: string): void => log.error("dnstap cannot be written", { file: path, why });
  return {
    key: `${path} ${rotate} ${keep}`,
    make: () => new TapFile({ path, rotate, keep, wall: Date.now, dropped, trouble }),
  };
}
