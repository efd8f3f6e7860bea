import type { UdtStream } from "../../../net/udt/stream.ts";
import { Inbox } from "../../../wire/3wdd/inbox.ts";
import type { ClientLogin, ServerLogin, Step } from "../../../wire/3wdd/login.ts";

/** Bytes that one read takes: less than an inbox has room for behind a frame that is not complete. */
const PIECE = 32 * 1024;
const REFUSED: Step = { kind: "refused" };

/** A UDT stream and what it brought. */
export class Conversation {
  readonly stream: UdtStream;
  readonly inbox = new Inbox();
  readonly #piece = new Uint8Array(new ArrayBuffer(PIECE));

  constructor(stream: UdtStream) {
    this.stream = stream;
  }

  /** Where the peer is: an IP address and port. */
  get peer(): string {
    return this.stream.peer.replace(/^\[::ffff:([\d.]+)\]/, "$1");
  }
  /** Its IP address. */
  get host(): string {
    return this.peer.replace(/:\d+$/, "").replaceAll(/[[\]]/g, "");
  }

  /** More in the inbox. False: there will be no more. Rejects with UdtLost. */
  async hear(): Promise<boolean> {
    const n = await this.stream.read(this.#piece);
    this.inbox.put(this.#piece.subarray(0, n));
    return n > 0;
  }

  /** Say and hear what `login` wants until it knows. Rejects with UdtLost. */
  async logIn(login: ClientLogin | ServerLogin): Promise<Step> {
    for (;;) {
      const step = login.step(this.inbox);
      switch (step.kind) {
        case "say":
          await this.stream.write(step.bytes);
          break;
        case "waiting":
          if (!(await this.hear())) return REFUSED;
          break;
        case "accepted":
        case "elsewhere":
        case "refused":
          return step;
      }
    }
  }
}
