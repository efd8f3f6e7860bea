import { expect, test } from "bun:test";

import { toFetch } from "../../../src/net/fronts/fetch-adapter.ts";
import type { Flow, FlowSink } from "../../../src/wire/http/message.ts";

/** So many bytes in pieces of `piece`, as fast as they are taken; from a buffer that is used again. */
class Source implements Flow {
  readonly #buffer: Uint8Array;
  #left: number;
  #sink: FlowSink | undefined;

  constructor(bytes: number, piece: number) {
    this.#left = bytes;
    this.#buffer = new Uint8Array(piece);
  }
  start(sink: FlowSink): void {
    this.#sink = sink;
    this.resume();
  }
  resume(): void {
    while (this.#left > 0) {
      const take = Math.min(this.#left, this.#buffer.length);
      this.#buffer.fill(this.#left % 251);
      this.#left -= take;
      if (!this.#sink?.write(this.#buffer, 0, take)) return;
    }
    this.#sink?.end();
  }
  cancel(): void {
    this.#left = 0;
  }
}

test.each([
  { bytes: 1, piece: 1 },
  { bytes: 3_000_000, piece: 100_000 },
  { bytes: 3_000_000, piece: 130_000 }, // each alone is more than may wait
  { bytes: 3_000_000, piece: 1_000_000 },
])("a flow of $bytes bytes in pieces of $piece comes whole", async ({ bytes, piece }) => {
  let sent = 0;
  const body = { kind: "flow", flow: new Source(bytes, piece) } as const;
  const response = toFetch({ status: 200, headers: [], body }, "GET", (n) => (sent = n));
  expect((await response.bytes()).length).toBe(bytes);
  expect(sent).toBe(bytes);
});
