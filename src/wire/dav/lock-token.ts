/** The `Lock-Token` header (RFC 4918, 10.5): one token in angle brackets. */

/** The token without its brackets; undefined when there is none to read: answer 400. */
export function parseLockToken(text: string | null): string | undefined {
  return /^\s*<([^\s<>]+)>\s*$/.exec(text ?? "")?.[1];
}

/** `<urn:uuid:...>` */
export function emitLockToken(token: string): string {
  return `<${token}>`;
}
