/**
 * What a PROXY v2 header says beyond addresses: its TLVs (proxy-protocol.txt, 2.2). Behind the
 * addresses, in any number and order; who does not know one skips it.
 *
 *     type(1)  length(2)  value
 *
 *     ALPN 0x01  AUTHORITY 0x02  SSL 0x20: client(1) verify(4) sub-TLVs: VERSION 0x21, CN 0x22
 */

/** What is known of a connection. */
export interface ProxyDetails {
  /** The protocol agreed on. Characters are bytes. */
  readonly alpn?: string | undefined;
  /** The name that the client asked for. */
  readonly authority?: string | undefined;
  /** It came to us over TLS. */
  readonly tls?: ProxyTls | undefined;
}

export interface ProxyTls {
  /** "TLSv1.3" */
  readonly version: string;
  /** The client showed a certificate, and it is good. */
  readonly verified: boolean;
  /** The common name in it. */
  readonly clientName: string | undefined;
}

const ALPN = 0x01;
const AUTHORITY = 0x02;
const SSL = 0x20;
const SSL_VERSION = 0x21;
const SSL_CN = 0x22;
/** Of `client`: it came over TLS; with a certificate, now or in the session that is resumed. */
const CLIENT_SSL = 0x01;
const CLIENT_CERT = 0x02 | 0x04;
/** RFC 5280, ub-common-name; what is longer is cut. */
const MAX_CN = 64;
const MAX_NAME = 255;

/** The TLVs of what is known, all of them together below 700 bytes. */
export function emitDetails({ alpn, authority, tls }: ProxyDetails): Uint8Array {
  const tlvs: Uint8Array[] = [];
  if (alpn !== undefined) tlvs.push(tlv(ALPN, latin1(alpn, MAX_NAME)));
  if (authority !== undefined) tlvs.push(tlv(AUTHORITY, utf8(authority, MAX_NAME)));
  if (tls !== undefined) tlvs.push(tlv(SSL, ssl(tls)));
  return joined(tlvs);
}

function ssl({ version, verified, clientName }: ProxyTls): Uint8Array {
  const client = verified ? CLIENT_SSL | CLIENT_CERT : CLIENT_SSL;
  const head = Uint8Array.of(client, 0, 0, 0, verified ? 0 : 1); // zero is "verified", no certificate is not
  const parts = [head, tlv(SSL_VERSION, utf8(version, MAX_NAME))];
  if (verified && clientName !== undefined) parts.push(tlv(SSL_CN, utf8(clientName, MAX_CN)));
  return joined(parts);
}

function tlv(type: number, value: Uint8Array): Uint8Array {
  const out = new Uint8Array(3 + value.length);
  out[0] = type;
  out[1] = value.length >> 8;
  out[2] = value.length;
  out.set(value, 3);
  return out;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function latin1(text: string, most: number): Uint8Array {
  return Uint8Array.from(text.slice(0, most), (c) => c.charCodeAt(0));
}

/** Cut between characters. */
function utf8(text: string, most: number): Uint8Array {
  const out = new Uint8Array(most);
  return out.subarray(0, new TextEncoder().encodeInto(text, out).written);
}
