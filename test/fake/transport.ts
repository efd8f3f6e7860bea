import { readSync } from "node:fs";

import type { Transport } from "../../src/net/http1/transport.ts";
import { AGAIN, GONE } from "../../src/sys/socket.ts";

/** A peer that takes so many bytes at a time, and remembers them. */
export class FakeTransport implements Transport {
  readonly secure = false;
  readonly fileStep = 4096;
  readonly said: number[] = [];
  reading = true;
  writing = false;
  state: "open" | "finished" | "closed" | "aborted" = "open";
  /** Bytes the next writes take before the peer is slow. */
  room = Infinity;
  /** Most bytes one call takes. */
  step = Infinity;

  write(bytes: Uint8Array, from: number, to: number): number {
    if (this.state === "closed" || this.state === "aborted") return GONE;
    const n = Math.min(to - from, this.room, this.step);
    if (n === 0) return AGAIN;
    this.room -= n;
    for (let i = from; i < from + n; i++) this.said.push(bytes[i]!);
    return n;
  }
  sendFile(file: number, offset: number, length: number): number {
    const into = new Uint8Array(Math.min(length, 4096));
    const n = readSync(file, into, 0, into.length, offset);
    return n === 0 ? 0 : this.write(into, 0, n);
  }
  interest(reading: boolean, writing: boolean): void {
    this.reading = reading;
    this.writing = writing;
  }
  again(): void {
    this.writing = true;
  }
  remote(): { address: string; port: number } {
    return { address: "192.0.2.7", port: 4711 };
  }
  finish(): void {
    this.state = "finished";
  }
  close(): void {
    this.state = "closed";
  }
  abort(): void {
    this.state = "aborted";
  }

  /** What was said, without the Date fields, which differ by the second. */
  get text(): string {
    return Buffer.from(this.said)
      .toString("latin1")
      .replaceAll(/Date: [^\r]*\r\n/g, "");
  }
}
