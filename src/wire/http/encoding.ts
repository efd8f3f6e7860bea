/** Which content coding to answer in (RFC 9110, 12.5.3). */

/** Content codings a representation can be offered in. */
export type Coding = "zstd" | "br" | "gzip";

/** One more than the most codings ever offered: scratch for their weights, in thousandths. */
const MOST = 8;
const weights = new Int16Array(MOST);
const UNSAID = -1;

/**
 * The coding to answer in. `offered` is in the server's order, which decides between codings the
 * client likes as much. "identity" when there is nothing better; "none" when the client accepts
 * neither a coding offered nor identity, which a server answers with 406 or ignores.
 */
export function negotiate<C extends string>(
  acceptEncoding: string | null,
  offered: readonly C[],
): C | "identity" | "none" {
  // Without the field anything would do (rule 1), but who did not ask may not be able to decode.
  if (acceptEncoding === null) return "identity";
  const count = Math.min(offered.length, MOST);
  weights.fill(UNSAID, 0, count);
  let star = UNSAID;
  let identity = UNSAID;

  for (let at = 0; at < acceptEncoding.length;) {
    let end = acceptEncoding.indexOf(",", at);
    if (end < 0) end = acceptEncoding.length;
    const from = space(acceptEncoding, at, end);
    const to = word(acceptEncoding, from, end);
    const weight = qvalue(acceptEncoding, to, end);
    at = end + 1;
    if (to === from || weight < 0) continue; // an empty or unreadable element says nothing
    if (same(acceptEncoding, from, to, "*")) star = weight;
    else if (same(acceptEncoding, from, to, "identity")) identity = weight;
    else {
      // RFC 9110, 8.4.1.3: x-gzip is gzip.
      const name = same(acceptEncoding, from, to, "x-gzip") ? from + 2 : from;
      for (let i = 0; i < count; i++)
        if (same(acceptEncoding, name, to, offered[i] ?? "")) weights[i] = weight;
    }
  }

  let best = -1;
  let most = 0;
  for (let i = 0; i < count; i++) {
    const said = weights[i] ?? UNSAID;
    const weight = said === UNSAID ? star : said;
    if (weight <= most) continue;
    best = i;
    most = weight;
  }
  const chosen = offered[best];
  if (chosen !== undefined && identity <= most) return chosen;
  // Identity is always acceptable unless it, or "*" in its place, is given weight 0.
  return identity === 0 || (identity === UNSAID && star === 0) ? "none" : "identity";
}

/** Thousandths of `OWS ";" OWS "q=" qvalue` in [from, to); 1000 when absent, -1 when malformed. */
function qvalue(text: string, from: number, to: number): number {
  let at = space(text, from, to);
  if (at === to) return 1000;
  if (text.charCodeAt(at) !== 59) return -1;
  at = space(text, at + 1, to);
  if (!same(text, at, at + 2, "q=")) return -1;
  at += 2;
  const whole = text.charCodeAt(at) - 48;
  if (at >= to || (whole !== 0 && whole !== 1)) return -1;
  let weight = whole * 1000;
  at++;
  if (at < to && text.charCodeAt(at) === 46) {
    at++;
    for (let unit = 100; unit >= 1 && at < to; unit = Math.floor(unit / 10), at++) {
      const digit = text.charCodeAt(at) - 48;
      if (digit < 0 || digit > 9) break;
      weight += digit * unit;
    }
  }
  return weight > 1000 || space(text, at, to) !== to ? -1 : weight;
}

function space(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && (text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9)) at++;
  return at;
}

/** Where the name beginning at `from` ends. */
function word(text: string, from: number, to: number): number {
  let at = from;
  while (at < to) {
    const c = text.charCodeAt(at);
    if (c === 59 || c === 32 || c === 9) break;
    at++;
  }
  return at;
}

/** Case-insensitive for ASCII; `name` is lower case. */
function same(text: string, from: number, to: number, name: string): boolean {
  if (to - from !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    const c = text.charCodeAt(from + i);
    if ((c >= 65 && c <= 90 ? c | 0x20 : c) !== name.charCodeAt(i)) return false;
  }
  return true;
}
