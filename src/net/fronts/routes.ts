import type { Head } from "../../wire/http1/head.ts";
import { HostRoutes } from "./host-routes.ts";
import type { Mount } from "./mount.ts";

const QUESTION_MARK = 0x3f;

/** Sites that take one path of their hosts. */
interface Place {
  readonly path: Uint8Array;
  readonly hosts: HostRoutes;
}

/** Which site answers: one that has the path to itself, else the one that has the host. */
export class Routes {
  #mounts: readonly Mount[] = [];
  readonly #hosts = new HostRoutes();
  readonly #places = new Map<string, Place>();

  get mounts(): readonly Mount[] {
    return this.#mounts;
  }

  /** The newest wins where two want the same: a reload adds before it removes. */
  add(mount: Mount): void {
    this.#mounts = [...this.#mounts, mount];
    const { path } = mount.site;
    if (path === undefined) return this.#hosts.add(mount);
    const place = this.#places.get(path) ?? { path: latin1(path), hosts: new HostRoutes() };
    this.#places.set(path, place);
    place.hosts.add(mount);
  }

  remove(mount: Mount): void {
    this.#mounts = this.#mounts.filter((m) => m !== mount);
    const { path } = mount.site;
    if (path === undefined) return this.#hosts.remove(mount);
    const place = this.#places.get(path);
    place?.hosts.remove(mount);
    if (place?.hosts.mounts.length === 0) this.#places.delete(path);
  }

  /** By name, lower case, without port, and the path as it was sent. */
  find(host: string, path: string): Mount | undefined {
    return (
      this.#places.get(path)?.hosts.find(host) ??
      this.#hosts.find(host) ??
      this.#lonely()?.find(host)
    );
  }

  /** By a parsed head. */
  route(head: Head): Mount | undefined {
    if (this.#places.size > 0) {
      const { bytes, pathStart, targetEnd } = head;
      for (const { path, hosts } of this.#places.values()) {
        const end = pathStart + path.length;
        if (end > targetEnd || (end < targetEnd && bytes[end] !== QUESTION_MARK)) continue;
        const mount = path.every((byte, i) => bytes[pathStart + i] === byte)
          ? hosts.route(head)
          : undefined;
        if (mount !== undefined) return mount;
      }
    }
    return this.#hosts.route(head) ?? this.#lonely()?.route(head);
  }

  /** Where nobody has whole hosts, who has a path of them says that there is nothing else. */
  #lonely(): HostRoutes | undefined {
    if (this.#hosts.mounts.length > 0) return undefined;
    const [first] = this.#places.values();
    return first?.hosts;
  }
}

function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}
