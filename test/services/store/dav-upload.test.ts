import { expect, test } from "bun:test";

import { DavUpload, type Wire } from "../../../src/services/store/members/dav-upload.ts";
import { MemberError } from "../../../src/services/store/members/member.ts";

const PIECE = 2 ** 20;

/** A server that takes what is sent, and then does `end`; a whole body or a stream of it. */
function wire(
  take: (body: Uint8Array | ReadableStream<Uint8Array>) => Promise<void>,
): Wire & { readonly done: string[] } {
  const done: string[] = [];
  return {
    done,
    send: async (body) => take(body),
    place: async (at) => void done.push(`place ${at}`),
    forget: async () => void done.push("forget"),
  };
}

test.each([
  { story: "a small one at once", pieces: [3, 4], streamed: false },
  { story: "none at once", pieces: [], streamed: false },
  { story: "a large one as it comes", pieces: [200_000, 200_000, 5], streamed: true },
])("a body gets to its server whole: $story", async ({ pieces, streamed }) => {
  const got: number[] = [];
  let stream = false;
  const peer = wire(async (body) => {
    stream = body instanceof ReadableStream;
    for await (const bytes of body instanceof ReadableStream ? body : [body]) got.push(...bytes);
  });
  const upload = new DavUpload(peer);
  for (const [i, size] of pieces.entries()) await upload.write(new Uint8Array(size).fill(i));
  await upload.finish();
  await upload.place("/a");
  expect(got).toEqual(pieces.flatMap((size, i) => Array<number>(size).fill(i)));
  expect(stream).toBe(streamed);
  expect(peer.done).toEqual(["place /a"]);
});

test.each(["before it takes any of it", "in the middle"])(
  "a server that refuses a stream %s: whoever writes hears of it",
  async (when) => {
    const peer = wire(async (body) => {
      if (when === "in the middle" && body instanceof ReadableStream) {
        const reader = body.getReader();
        await reader.read();
        await reader.read();
      }
      throw new MemberError("full", "no room");
    });
    const upload = new DavUpload(peer);
    const write = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) await upload.write(new Uint8Array(PIECE));
    };
    const error: unknown = await write().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ trouble: "full" });
    await upload.abort();
    expect(peer.done).toEqual(["forget"]);
  },
);

test("a server that is told the length answers, and takes no more, before the end is said", async () => {
  let over = false;
  const peer = wire(async (body) => {
    if (!(body instanceof ReadableStream)) return;
    const reader = body.getReader();
    for (let left = 3 * PIECE; left > 0;) left -= (await reader.read()).value?.length ?? 0;
    await Promise.resolve();
    over = (await reader.read()).done;
    await reader.cancel();
  });
  const upload = new DavUpload(peer, 3 * PIECE);
  for (let i = 0; i < 3; i++) await upload.write(new Uint8Array(PIECE));
  await Bun.sleep(1); // others are slower
  expect(over).toBe(true);
  await upload.finish();
  await upload.place("/a");
  expect(peer.done).toEqual(["place /a"]);
});

test("what has been sent is not kept", async () => {
  const peer = wire(async (body) => {
    if (!(body instanceof ReadableStream)) return;
    for await (const bytes of body) expect(bytes.length).toBe(PIECE);
  });
  const upload = new DavUpload(peer);
  const pieces: WeakRef<Uint8Array>[] = [];
  for (let i = 0; i < 64; i++) {
    const piece = new Uint8Array(PIECE);
    pieces.push(new WeakRef(piece));
    await upload.write(piece);
    await new Promise((resolve) => setImmediate(resolve)); // a WeakRef holds until the turn ends
  }
  Bun.gc(true);
  // Stacks may still know of some.
  expect(pieces.filter((piece) => piece.deref() !== undefined).length).toBeLessThan(16);
  await upload.finish();
});
