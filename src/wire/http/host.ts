/** The Host field (RFC 9110, 7.2; RFC 3986, 3.2.2). */
import { parseIp } from "../../core/ip.ts";

/** The longest name DNS can hold (RFC 1035, 2.3.4). */
const MAX_NAME = 255;
/**
 * Letters, digits, "-", ".", "_" and "~": of RFC 3986's reg-name only what names of hosts are made
 * of. Escapes and sub-delims ("," above all, which joins repeated fields) name no host anyone has.
 */
const NAME = /^[A-Za-z0-9_~-]+(\.[A-Za-z0-9_~-]+)*\.?$/;
/** Without zone: it means nothing to another machine (RFC 6874 lets a client leave it out). */
const BRACKETED = /^\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]$/;
const PORT = /^[0-9]{0,5}$/;
const MAX_PORT = 65_535;

/**
 * The host of `host[:port]`, lower case, without port and trailing dot; an IPv6 address keeps its
 * brackets. "" for an empty field, which is allowed; undefined for a bad one: answer 400.
 */
export function parseHost(value: string): string | undefined {
  if (value === "") return "";
  const end = value.startsWith("[") ? value.indexOf("]") + 1 : value.indexOf(":");
  const host = end <= 0 ? value : value.slice(0, end);
  if (host.length < value.length) {
    const port = value.slice(host.length + 1);
    if (value[host.length] !== ":" || !PORT.test(port) || Number(port) > MAX_PORT) return undefined;
  }
  if (host.startsWith("[")) {
    return BRACKETED.test(host) && parseIp(host.slice(1, -1)) ? host.toLowerCase() : undefined;
  }
  if (host.length > MAX_NAME || !NAME.test(host)) return undefined;
  return (host.endsWith(".") ? host.slice(0, -1) : host).toLowerCase();
}
