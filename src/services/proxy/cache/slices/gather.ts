import { type Body, discard, type Flow } from "../../../../wire/http/message.ts";
import { flowOfStream } from "../stream-flow.ts";

/** All of a body that has `length` bytes. Rejects when it has more or less, or breaks. */
export async function gather(body: Body, length: number): Promise<Uint8Array> {
  const into = new Uint8Array(new ArrayBuffer(length));
  let at = 0;
  if (body.kind === "pieces") {
    try {
      for (const piece of body.pieces) {
        if (!(piece instanceof Uint8Array) || at + piece.length > length) throw new Error(WRONG);
        into.set(piece, at);
        at += piece.length;
      }
    } finally {
      body.release?.();
    }
  } else if (body.kind !== "none") {
    if (body.length !== undefined && body.length !== length) {
      discard({ status: 206, headers: [], body });
      throw new Error(WRONG);
    }
    at = await pour(body.kind === "flow" ? body.flow : flowOfStream(body.stream), into);
  }
  if (at !== length) throw new Error(WRONG);
  return into;
}

const WRONG = "a part is not as long as it was said to be";

function pour(flow: Flow, into: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    let at = 0;
    flow.start({
      write(bytes, from, to) {
        if (at + to - from > into.length) {
          flow.cancel();
          reject(new Error(WRONG));
          return false;
        }
        into.set(bytes.subarray(from, to), at);
        at += to - from;
        return true;
      },
      end: () => resolve(at),
      fail: reject,
    });
  });
}
