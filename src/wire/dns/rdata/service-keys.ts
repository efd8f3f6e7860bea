/** Parameters of SVCB and HTTPS records (RFC 9460, 14.3.2 and the IANA registry). */
export const SERVICE_KEY = {
  MANDATORY: 0,
  ALPN: 1,
  NO_DEFAULT_ALPN: 2,
  PORT: 3,
  IPV4HINT: 4,
  ECH: 5,
  IPV6HINT: 6,
  DOHPATH: 7,
  OHTTP: 8,
} as const;

const NAMES = [
  "mandatory",
  "alpn",
  "no-default-alpn",
  "port",
  "ipv4hint",
  "ech",
  "ipv6hint",
  "dohpath",
  "ohttp",
];

/** The name of a key; `key65280` for one without. */
export function showKey(key: number): string {
  return NAMES[key] ?? `key${key}`;
}

/** The inverse of `showKey`; 65535 is no key (RFC 9460, 14.3.2). */
export function parseKey(text: string): number | undefined {
  const known = NAMES.indexOf(text);
  if (known >= 0) return known;
  const [, digits = ""] = /^key(0|[1-9]\d{0,4})$/.exec(text) ?? [];
  const key = digits === "" ? Number.NaN : Number(digits);
  return key < 0xffff ? key : undefined;
}
