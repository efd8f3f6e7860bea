import { reactor } from "../../src/net/reactor-loop.ts";
import { dial } from "../../src/sys/dial.ts";
import { errnoName } from "../../src/sys/errno.ts";
import { listenStream } from "../../src/sys/listen.ts";
import { address } from "../../src/sys/memory.ts";
import { getOption } from "../../src/sys/socket-options.ts";
import * as socket from "../../src/sys/socket.ts";

/** One end of a TCP connection in the hands of a test: nothing is read, written or closed by itself. */
export class RawPeer implements Disposable {
  readonly fd: number;
  /** Everything read so far. */
  #got: Uint8Array[] = [];
  #open = true;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Connect to a port of 127.0.0.1. */
  static async to(port: number): Promise<RawPeer> {
    const made = dial("127.0.0.1", port);
    if (!("fd" in made)) throw new Error(made.why);
    await moment();
    return new RawPeer(made.fd);
  }

  /** As many bytes as the kernel takes now. */
  push(bytes: Uint8Array): number {
    return Math.max(0, socket.send(this.fd, address(bytes), bytes.length, false));
  }
  /** All of them, however slowly the other side reads. Rejects when it is gone. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const n = socket.send(this.fd, address(bytes) + at, bytes.length - at, false);
      if (n === socket.GONE) throw new Error("gone");
      if (n > 0) at += n;
      else await moment();
    }
  }
  /** What is there now: bytes, "end", or "reset" and the like; undefined: nothing yet. */
  look(): Uint8Array | "end" | "gone" | undefined {
    const room = new Uint8Array(new ArrayBuffer(256 * 1024));
    const n = socket.receive(this.fd, address(room), room.length);
    if (n === socket.AGAIN) return undefined;
    if (n === 0) return "end";
    return n < 0 ? "gone" : room.subarray(0, n);
  }
  /** Everything up to `bytes` of it, or to its end. Rejects when the connection is broken. */
  async read(bytes = Infinity, within = 5000): Promise<Uint8Array> {
    const late = performance.now() + within;
    let length = this.#got.reduce((sum, one) => sum + one.length, 0);
    while (length < bytes) {
      const more = this.look();
      if (more === "end") break;
      if (more === "gone") throw new Error("gone");
      if (more === undefined) {
        if (performance.now() > late) throw new Error(`only ${length} bytes came`);
        await moment();
        continue;
      }
      this.#got.push(more);
      length += more.length;
    }
    const all = new Uint8Array(Buffer.concat(this.#got));
    this.#got = all.length > bytes ? [all.slice(bytes)] : [];
    return all.subarray(0, Math.min(all.length, bytes));
  }
  /** How it ends: "end" by a FIN, or the error ("ECONNRESET"). What comes before is dropped. */
  async ends(within = 5000): Promise<string> {
    for (const late = performance.now() + within; performance.now() < late;) {
      const why = getOption(this.fd, "SO_ERROR") ?? 0;
      if (why !== 0) return errnoName(why);
      const more = this.look();
      if (more === "end") return "end";
      if (more === undefined) await moment();
    }
    return "open";
  }
  finish(): void {
    socket.finish(this.fd);
  }
  close(): void {
    if (this.#open) socket.close(this.fd);
    this.#open = false;
  }
  abort(): void {
    if (this.#open) socket.abort(this.fd);
    this.#open = false;
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

/** A listening socket whose connections are taken by hand. */
export class RawListener implements Disposable {
  readonly fd: number;
  readonly port: number;

  constructor(backlog = 128) {
    const options = { backlog, reusePort: false, fastOpen: 0, deferAccept: 0 };
    const { fd, port } = listenStream({ kind: "tcp", host: "127.0.0.1", port: 0 }, options);
    this.fd = fd;
    this.port = port;
  }

  async accept(within = 3000): Promise<RawPeer> {
    for (const late = performance.now() + within; performance.now() < late;) {
      const fd = socket.accept(this.fd);
      if (fd >= 0) return new RawPeer(fd);
      await moment();
    }
    throw new Error("nobody came");
  }
  [Symbol.dispose](): void {
    socket.close(this.fd);
  }
}

/** Let the loop do its work. Of timers of the runtime it knows nothing, so it is told to be quick. */
function moment(): Promise<void> {
  reactor().nudge();
  return Bun.sleep(1);
}
