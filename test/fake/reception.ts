import { DEFAULT_SOCKET } from "../../src/core/socket-options.ts";
import { Mount } from "../../src/net/fronts/mount.ts";
import { DEFAULT_LIMITS, type HttpLimits, type Site } from "../../src/net/http-fronts.ts";
import type { Reception } from "../../src/net/http1/reception.ts";
import { Registry } from "../../src/observe/registry.ts";

/** A listener with one site for every host, whose time stands still until the test moves it. */
export class FakeReception implements Reception {
  now = 0;
  draining = false;
  requests = 0;
  readonly accessLog = undefined;
  readonly limits: HttpLimits;
  readonly mount: Mount;
  readonly refusals: number[] = [];
  readonly troubles: unknown[] = [];
  guests = 1;

  constructor(site: Pick<Site, "handler"> & Partial<Site>) {
    this.limits = site.limits ?? DEFAULT_LIMITS;
    const whole: Site = {
      name: "test",
      listen: [],
      socket: DEFAULT_SOCKET,
      hosts: ["*"],
      tls: false,
      http2: false,
      http3: false,
      pipelining: true,
      limits: this.limits,
      ...site,
    };
    this.mount = new Mount(whole, new Registry());
  }

  route(): Mount {
    return this.mount;
  }
  left(): void {
    this.guests--;
  }
  nudge(): void {}
  refused(status: number): void {
    this.refusals.push(status);
  }
  trouble(error: unknown): void {
    this.troubles.push(error);
  }
  log(): void {}
  logQuick(): void {}
}
