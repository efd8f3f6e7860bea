/**
 * A WAN between two network namespaces (the kernel need not have netem): two TAP devices, and what
 * lies between them is this process. For full Ethernet frames of up to 1500 bytes: what is larger,
 * the kernel cuts first.
 *
 *     bun test/bench/wanem/wanem.ts NEAR:wan0 FAR:wan0 delay=75ms loss=1 rate=100mbit queue=1000
 *
 * Words as `conditions.ts` has them; while it runs, lines of them on standard input change it, and
 * `stats` has the counts written as a line of JSON. It ends when its standard input does.
 */
import { readSync, writeSync } from "node:fs";

import { Epoll } from "../../../src/sys/epoll.ts";
import { block } from "../../../src/sys/memory.ts";
import { changeLink, linkNamed } from "../../../src/sys/netlink/links.ts";
import { RouteSocket } from "../../../src/sys/netlink/route-socket.ts";
import { NetworkNamespace } from "../../../src/sys/netns.ts";
import { TimerFd } from "../../../src/sys/timer-fd.ts";
import { Tun } from "../../../src/sys/tun.ts";
import { change, CLEAN, type Pair } from "./conditions.ts";
import { Link } from "./link.ts";
import { Pipe } from "./pipe.ts";

const READABLE = 1;
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
/** As long as the kernel will let frames wait for us. */
const TXQUEUELEN = 20_000;

const [nearEnd = "", farEnd = "", ...words] = process.argv.slice(2);
let conditions: Pair = [CLEAN, CLEAN];
const near = tap(nearEnd);
const far = tap(farEnd);
const there = new Pipe(near, far, new Link(1));
const back = new Pipe(far, near, new Link(2));
const timer = new TimerFd();
const epoll = new Epoll(8);
for (const fd of [near.fd, far.fd, timer.fd, STDIN]) epoll.add(fd, READABLE);
obey(words.join(" "));
writeSync(STDOUT, "ready\n"); // at once: the runtime has no turn while we wait

let set = Infinity;
for (;;) {
  const next = Math.min(there.due, back.due);
  if (next !== set) {
    set = next;
    timer.set(next - now());
  }
  const ready = epoll.wait(-1);
  for (let i = 0; i < ready; i++) {
    const fd = epoll.fdAt(i);
    if (fd === near.fd && !there.read(now)) process.exit(1);
    if (fd === far.fd && !back.read(now)) process.exit(1);
    if (fd === timer.fd) set = Number.NaN; // it has rung, and is to be set anew
    if (fd === STDIN) listen();
  }
  const time = now();
  there.write(time);
  back.write(time);
}

/** µs */
function now(): number {
  return performance.now() * 1000;
}

/** A TAP device in a namespace, up; `NAMESPACE:DEVICE`. */
function tap(end: string): Tun {
  const [name = "", device = ""] = end.split(":");
  const namespace = new NetworkNamespace(name);
  const tun = namespace.run(() => {
    const made = new Tun({ name: device, kind: "tap", offload: false });
    const socket = new RouteSocket();
    const link = linkNamed(socket, made.name);
    if (link !== undefined)
      changeLink(socket, link.index, { up: true, mtu: 1500, txqueuelen: TXQUEUELEN });
    socket.close();
    return made;
  });
  namespace.close();
  return tun;
}

function listen(): void {
  const { bytes } = block(4096);
  const length = readSync(STDIN, bytes);
  if (length === 0) process.exit(0);
  for (const line of new TextDecoder().decode(bytes.subarray(0, length)).split("\n")) obey(line);
}

function obey(line: string): void {
  if (line.trim() === "stats") {
    writeSync(STDOUT, `${JSON.stringify({ there: there.counts, back: back.counts })}\n`);
    return;
  }
  const changed = change(conditions, line);
  if (changed === undefined) {
    writeSync(STDERR, `not understood: ${line}\n`);
    return;
  }
  conditions = changed;
  [there.link.conditions, back.link.conditions] = changed;
}
