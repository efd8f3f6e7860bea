/** ClientHellos by hand, right and wrong. */

export type Extension = readonly [type: number, body: Uint8Array];

export const ascii = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
export const concat = (...parts: readonly Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));

/** `body` behind its length in `width` bytes. */
export function vector(width: number, body: Uint8Array): Uint8Array {
  const length = Uint8Array.from({ length: width }, (_, i) => body.length >> (8 * (width - 1 - i)));
  return concat(length, body);
}

export const sni = (name: string, type = 0): Extension => [
  0,
  vector(2, concat(Uint8Array.of(type), vector(2, ascii(name)))),
];
export const alpn = (...names: readonly string[]): Extension => [
  16,
  vector(2, concat(...names.map((n) => vector(1, ascii(n))))),
];
/** RFC 8701: values nobody may choke on. */
export const grease: Extension = [0x3a3a, Uint8Array.of(0)];

interface Parts {
  readonly extensions?: readonly Extension[] | undefined;
  readonly session?: number;
  readonly suites?: number;
  readonly compression?: number;
  readonly tail?: number;
}

/** A handshake message. */
export function hello({
  extensions = [],
  session = 32,
  suites = 4,
  compression = 1,
  tail = 0,
}: Parts): Uint8Array {
  const list = extensions.map(([type, body]) =>
    concat(Uint8Array.of(type >> 8, type), vector(2, body)),
  );
  const body = concat(
    Uint8Array.of(3, 3),
    new Uint8Array(32),
    vector(1, new Uint8Array(session)),
    vector(2, new Uint8Array(suites)),
    vector(1, new Uint8Array(compression)),
    extensions.length === 0 ? new Uint8Array() : vector(2, concat(...list)),
    new Uint8Array(tail),
  );
  return concat(Uint8Array.of(1), vector(3, body));
}

/** In records of at most `size` bytes. */
export function records(message: Uint8Array, size = 1 << 14): Uint8Array {
  const all: Uint8Array[] = [];
  for (let at = 0; at < message.length; at += size)
    all.push(concat(Uint8Array.of(22, 3, 1), vector(2, message.subarray(at, at + size))));
  return concat(...all);
}

export const LURE = Buffer.from(
  records(hello({ extensions: [sni("lure.example"), alpn("lure")] })),
).toString("latin1");
