import { skipName } from "../../../wire/dns/name.ts";
import { HEADER } from "../../../wire/dns/query.ts";
import { BADSIG, parseTsig, type TsigVerifier } from "../../../wire/dns/tsig.ts";
import { showRcode, TYPE } from "../../../wire/dns/types.ts";

/** What is wrong with the signature of `message`, which is whole; undefined when nothing is. */
export function checkSignature(
  message: Uint8Array,
  verifier: TsigVerifier,
  seconds: number,
): string | undefined {
  const at = tsigStart(message);
  const tsig = at < 0 ? undefined : parseTsig(message, at);
  if (at >= 0 && tsig === undefined) return "its signature is malformed";
  const verdict = verifier.verify(message, tsig, at, seconds);
  if (verdict === "good") return undefined;
  if (tsig === undefined) return "it is not signed";
  return `its signature is wrong: ${verdict === BADSIG ? "BADSIG" : showRcode(verdict)}`;
}

/** Where the TSIG begins, which is always the last record (RFC 8945, 5.1); -1 when there is none. */
function tsigStart(message: Uint8Array): number {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const to = message.length;
  let at = HEADER;
  for (let left = view.getUint16(4); left > 0; left--) {
    at = skipName(message, at, to) + 4;
    if (at < HEADER || at > to) return -1;
  }
  for (let left = view.getUint16(6) + view.getUint16(8) + view.getUint16(10); left > 0; left--) {
    const fixed = skipName(message, at, to);
    if (fixed < 0 || fixed + 10 > to) return -1;
    if (left === 1 && view.getUint16(fixed) === TYPE.TSIG) return at;
    at = fixed + 10 + view.getUint16(fixed + 8);
  }
  return -1;
}
