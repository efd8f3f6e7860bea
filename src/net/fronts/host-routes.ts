import type { Head } from "../../wire/http1/head.ts";
import type { Mount } from "./mount.ts";

/** Hosts remembered by hash; beyond it the memory starts anew (a stranger may send any host). */
const MAX_REMEMBERED = 1024;

interface Remembered {
  readonly host: Uint8Array;
  readonly mount: Mount | undefined;
}

/** Which site answers for a host: exact name, then the longest wildcard, then `*`. */
export class HostRoutes {
  #mounts: Mount[] = [];
  #exact = new Map<string, Mount>();
  #wild: { suffix: string; mount: Mount }[] = [];
  #any: Mount | undefined;
  #remembered = new Map<number, Remembered>();

  get mounts(): readonly Mount[] {
    return this.#mounts;
  }

  /** The newest wins where two want one host: a reload adds before it removes. */
  add(mount: Mount): void {
    this.#mounts.push(mount);
    this.#index();
  }
  remove(mount: Mount): void {
    this.#mounts = this.#mounts.filter((m) => m !== mount);
    this.#index();
  }

  /** By name, lower case, without port. */
  find(host: string): Mount | undefined {
    const exact = this.#exact.get(host);
    if (exact) return exact;
    for (const { suffix, mount } of this.#wild)
      if (host.length > suffix.length && host.endsWith(suffix)) return mount;
    return this.#any;
  }

  /** By the host of a parsed head, without making a string for one seen before. */
  route(head: Head): Mount | undefined {
    if (this.#exact.size === 0 && this.#wild.length === 0) return this.#any;
    const { bytes, hostStart, hostEnd } = head;
    let hash = 17;
    for (let i = hostStart; i < hostEnd; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
    const known = this.#remembered.get(hash);
    if (known !== undefined && same(known.host, bytes, hostStart, hostEnd)) return known.mount;
    const mount = this.find(head.text(hostStart, hostEnd).toLowerCase());
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(hash, { host: bytes.slice(hostStart, hostEnd), mount });
    return mount;
  }

  #index(): void {
    this.#exact = new Map();
    this.#wild = [];
    this.#any = undefined;
    this.#remembered.clear();
    for (const mount of this.#mounts) {
      for (const host of mount.site.hosts) {
        if (host === "*") this.#any = mount;
        else if (host.startsWith("*."))
          this.#wild.unshift({ suffix: host.slice(1).toLowerCase(), mount });
        else this.#exact.set(host.toLowerCase(), mount);
      }
    }
    // Stable, so that of equal suffixes the newest stays first.
    this.#wild.sort((a, b) => b.suffix.length - a.suffix.length);
  }
}

function same(host: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (host.length !== to - from) return false;
  for (let i = 0; i < host.length; i++) if (host[i] !== bytes[from + i]) return false;
  return true;
}
