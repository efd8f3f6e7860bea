import type { Counter, Histogram, Metrics } from "../../observe/metrics.ts";
import type { Site } from "../http-fronts.ts";

/** Seconds; from a cached file to a slow upload. */
const DURATIONS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** A site that takes traffic, with its counts and its requests in hand. */
export class Mount {
  readonly site: Site;
  inHand = 0;
  #idle: (() => void) | undefined;
  readonly #classes: readonly Counter[];
  readonly #bytes: Counter;
  readonly #seconds: Histogram;

  constructor(site: Site, metrics: Metrics) {
    this.site = site;
    this.#classes = CLASSES.map((code) =>
      metrics.counter("tern_http_requests_total", "Requests answered, by site and status class.", {
        site: site.name,
        code,
      }),
    );
    const labels = { site: site.name };
    this.#bytes = metrics.counter("tern_http_response_bytes_total", "Body bytes sent.", labels);
    this.#seconds = metrics.histogram(
      "tern_http_request_duration_seconds",
      "From a request's head to its response's last byte.",
      DURATIONS,
      labels,
    );
  }

  /** One request answered with `bytes` of body after `seconds`. */
  count(status: number, bytes: number, seconds: number): void {
    this.#classes[Math.floor(status / 100) - 1]?.add(1);
    this.#bytes.add(bytes);
    this.#seconds.observe(seconds);
  }

  begin(): void {
    this.inHand++;
  }
  end(): void {
    this.inHand--;
    if (this.inHand === 0) this.#idle?.();
  }

  /** Resolves when nothing is in hand or `deadline` aborts. */
  async whenIdle(deadline: AbortSignal): Promise<void> {
    if (this.inHand === 0 || deadline.aborted) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      deadline.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}
