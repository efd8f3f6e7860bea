import type { HttpRequest } from "../../../wire/http/message.ts";
/** The bytes of a request as they were signed. */
import { AwsChunked } from "../../../wire/s3/chunked.ts";
import { signChunk } from "../../../wire/s3/signature.ts";
import { Checksum } from "./checksum.ts";
import { hashes } from "./hashes.ts";
import { Refusal } from "./refusal.ts";
import type { Signed } from "./signer.ts";

/** Largest body that is read as a whole: a list of a thousand names, or of ten thousand parts. */
const MAX_WHOLE = 4 * 2 ** 20;
const CHUNKED = /^STREAMING-(AWS4-HMAC-SHA256|UNSIGNED)-PAYLOAD(-TRAILER)?$/;

/** A body, and its MD5 once it has passed. */
export interface Received {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Hex; undefined before the end. */
  readonly md5: () => string | undefined;
}

/** The body ends in a `Refusal` when it is not what was signed, or not what a checksum says. */
export function receive(request: HttpRequest, signed: Signed): Received {
  let md5: string | undefined;
  const said = request.headers.get("content-md5");
  async function* bytes(): AsyncGenerator<Uint8Array, void> {
    const hash = new Bun.CryptoHasher("md5");
    const sum = Checksum.of(request.headers);
    for await (const piece of verified(request, signed, sum)) {
      hash.update(piece);
      sum?.add(piece);
      yield piece;
    }
    const digest = hash.digest();
    if (said !== null && digest.toString("base64") !== said.trim()) throw new Refusal("BadDigest");
    sum?.end();
    md5 = digest.toString("hex");
  }
  return { bytes: bytes(), md5: () => md5 };
}

/** All of a body at once. */
export async function receiveWhole(request: HttpRequest, signed: Signed): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of receive(request, signed).bytes) {
    length += piece.length;
    if (length > MAX_WHOLE) throw new Refusal("EntityTooLarge");
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function verified(
  request: HttpRequest,
  signed: Signed,
  sum: Checksum | undefined,
): AsyncIterable<Uint8Array> {
  const { payload } = signed;
  const chunked = CHUNKED.exec(payload);
  if (chunked) return unchunked(request, signed, chunked[1] !== "UNSIGNED", sum);
  return payload === "UNSIGNED-PAYLOAD" ? raw(request) : hashed(request, payload);
}

async function* raw({ body }: HttpRequest): AsyncGenerator<Uint8Array, void> {
  if (body !== undefined) yield* body;
}

async function* hashed(request: HttpRequest, payload: string): AsyncGenerator<Uint8Array, void> {
  const hash = new Bun.CryptoHasher("sha256");
  for await (const piece of raw(request)) {
    hash.update(piece);
    yield piece;
  }
  if (hash.digest("hex") !== payload.toLowerCase()) throw new Refusal("XAmzContentSHA256Mismatch");
}

async function* unchunked(
  request: HttpRequest,
  { key, scope, time, signature }: Signed,
  isSigned: boolean,
  sum: Checksum | undefined,
): AsyncGenerator<Uint8Array, void> {
  const chunks = new AwsChunked();
  let before = signature;
  for await (const piece of raw(request)) {
    const read = chunks.feed(piece);
    if (read === "invalid") throw new Refusal("IncompleteBody");
    for (const one of read) {
      if (one.kind === "trailer") {
        sum?.trailer(one.name, one.value);
        continue;
      }
      if (isSigned) {
        before = signChunk(hashes, key, scope, time, before, one.bytes);
        if (before !== one.signature) throw new Refusal("SignatureDoesNotMatch");
      }
      if (one.bytes.length > 0) yield one.bytes;
    }
  }
  if (!chunks.done) throw new Refusal("IncompleteBody");
}
