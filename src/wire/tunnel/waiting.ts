import { FLOWS } from "./flow.ts";

/** Of those that go first so many in a row, then one of the others: many that say little starve nobody. */
const IN_A_ROW = 8;

/** A plaintext that waits for its turn. */
export interface Waiting {
  readonly bytes: Uint8Array;
  readonly flow: number;
  /** Datagrams that it needs. */
  readonly parts: number;
  /** Is it the only one of its flow, and of one datagram? */
  readonly first: boolean;
}

/**
 * Plaintexts that wait to be sent. Who has nothing else waiting goes first, so that a question, a key that was
 * pressed or an acknowledgement never stands behind what others have piled up (as in RFC 8290); those of one flow
 * stay in their order.
 */
export class WaitingLine {
  readonly #quick: Waiting[] = [];
  readonly #rest: Waiting[] = [];
  readonly #ofFlow = new Uint16Array(FLOWS);
  #row = 0;
  #parts = 0;

  /** Datagrams that all need together. */
  get parts(): number {
    return this.#parts;
  }

  /** Does anything of `flow` wait? */
  has(flow: number): boolean {
    return flow < FLOWS && (this.#ofFlow[flow] as number) > 0;
  }

  /** `bytes` are kept. */
  put(bytes: Uint8Array, flow: number, parts: number): void {
    const alone = flow >= FLOWS || this.#ofFlow[flow] === 0;
    const first = parts === 1 && alone;
    if (flow < FLOWS) this.#ofFlow[flow] = (this.#ofFlow[flow] as number) + 1;
    this.#parts += parts;
    (first ? this.#quick : this.#rest).push({ bytes, flow, parts, first });
  }

  /** The next one, which waits no longer. */
  take(): Waiting | undefined {
    const turn = this.#row < IN_A_ROW || this.#rest.length === 0;
    const quick = turn ? this.#quick.shift() : undefined;
    this.#row = quick === undefined ? 0 : this.#row + 1;
    const next = quick ?? this.#rest.shift();
    if (next === undefined) return undefined;
    this.#parts -= next.parts;
    if (next.flow < FLOWS) this.#ofFlow[next.flow] = (this.#ofFlow[next.flow] as number) - 1;
    return next;
  }
}
