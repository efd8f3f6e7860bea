import type { Counter, Histogram, Metrics } from "../../observe/metrics.ts";

/** Seconds; from a socket on this machine to a server across the world that thinks. */
const CONNECTS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const ANSWERS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;
const SECOND = 1000;

/** What one route of a proxy has seen of its servers. */
export class RouteMeters {
  readonly #classes: readonly Counter[];
  readonly #connect: Histogram;
  readonly #answer: Histogram;
  readonly #retries: Counter;
  readonly #failures: Record<"502" | "503" | "504", Counter>;
  forwarded = 0;
  failed = 0;
  retried = 0;

  constructor(metrics: Metrics, proxy: string, route: string) {
    const labels = { proxy, route };
    this.#classes = CLASSES.map((code) =>
      metrics.counter("tern_proxy_answers_total", "Answers of servers, by status class.", {
        ...labels,
        code,
      }),
    );
    this.#connect = metrics.histogram(
      "tern_proxy_connect_seconds",
      "Until a new connection to a server stood.",
      CONNECTS,
      labels,
    );
    this.#answer = metrics.histogram(
      "tern_proxy_answer_seconds",
      "From a request in hand to the head of its answer.",
      ANSWERS,
      labels,
    );
    this.#retries = metrics.counter(
      "tern_proxy_retries_total",
      "Requests asked again of another server.",
      labels,
    );
    const failures = (code: string): Counter =>
      metrics.counter("tern_proxy_failures_total", "Requests that no server answered.", {
        ...labels,
        code,
      });
    this.#failures = { 502: failures("502"), 503: failures("503"), 504: failures("504") };
  }

  connected(ms: number): void {
    this.#connect.observe(ms / SECOND);
  }
  answered(status: number, ms: number): void {
    this.forwarded++;
    this.#classes[Math.floor(status / 100) - 1]?.add(1);
    this.#answer.observe(ms / SECOND);
  }
  again(): void {
    this.retried++;
    this.#retries.add(1);
  }
  unanswered(status: 502 | 503 | 504): void {
    this.failed++;
    this.#failures[status].add(1);
  }
}
