import { parseIp4 } from "../../../core/ip.ts";
import { expandRange } from "../../../core/ranges.ts";

const PORT = /^\d{1,5}$/;
const MAX_PORT = 65_535;

/** `host:port` taken apart at its one colon, as pythondirector does. Undefined when it is not that. */
export function hostPort(text: string): { host: string; port: number } | undefined {
  const [host = "", port = "", ...more] = text.split(":").map((part) => part.trim());
  if (more.length > 0 || !PORT.test(port)) return undefined;
  const number = Number(port);
  return number >= 1 && number <= MAX_PORT ? { host, port: number } : undefined;
}

/** Where to listen: `*` for all, or an IPv4 address; `localhost` is one. */
export function listenPlace(text: string): { place: string; local: boolean } | undefined {
  const read = hostPort(text);
  if (read === undefined) return undefined;
  const local = read.host.toLowerCase() === "localhost";
  const host = local ? "127.0.0.1" : read.host === "" ? "*" : read.host;
  if (host !== "*" && parseIp4(host) === undefined) return undefined;
  return { place: `${host}:${read.port}`, local };
}

/** Whom to connect to: an IPv4 address or a name. */
export function hostPlace(text: string): string | undefined {
  const read = hostPort(text);
  // A range is no host, not even one of one.
  const [first] = (read && expandRange(read.host)) ?? [];
  if (read === undefined || first?.host !== read.host) return undefined;
  return `${read.host.toLowerCase().replace(/\.$/, "")}:${read.port}`;
}
