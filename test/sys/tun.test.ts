import { expect } from "bun:test";

import { block } from "../../src/sys/memory.ts";
import { addAddress } from "../../src/sys/netlink/addresses.ts";
import { changeLink, linkNamed } from "../../src/sys/netlink/links.ts";
import { RouteSocket } from "../../src/sys/netlink/route-socket.ts";
import { AGAIN, GONE } from "../../src/sys/socket.ts";
import { MAX_PACKET, REFUSED, Tun, VNET_HEADER } from "../../src/sys/tun.ts";
import { asRoot } from "./needs.ts";
import { ip, ownNamespace } from "./own-namespace.ts";

const into = block(MAX_PACKET);

/** A device of `name` that is up, with 10.9.0.1 and a peer. */
function up(
  offload: boolean,
  name = "t0",
): { name: string; tun: Tun; inside: ReturnType<typeof ownNamespace> } {
  const inside = ownNamespace();
  const { tun, socket } = inside.namespace.run(() => ({
    tun: new Tun({ name, kind: "tun", offload }),
    socket: new RouteSocket(),
  }));
  const { index } = linkNamed(socket, name) ?? { index: 0 };
  addAddress(socket, {
    index,
    address: { version: 4, words: [0x0a090001] },
    bits: 32,
    peer: { version: 4, words: [0x0a090002] },
  });
  changeLink(socket, index, { up: true, mtu: 1400 });
  socket.close();
  return { name: inside.name, tun, inside };
}

/** The next packet that `wanted` likes; others, such as router solicitations, are thrown away. */
async function next(tun: Tun, wanted: (packet: Uint8Array) => boolean): Promise<Uint8Array> {
  for (let i = 0; i < 200; i++) {
    const n = tun.read(into.at, into.bytes.length);
    if (n > 0 && wanted(into.bytes.subarray(tun.header, n))) return into.bytes.slice(0, n);
    if (n === AGAIN) await Bun.sleep(10);
    if (n === GONE) break;
  }
  throw new Error("no such packet came");
}

const isUdp = (packet: Uint8Array): boolean => packet[0] === 0x45 && packet[9] === 17;

asRoot("packets go out and come in", async () => {
  const { name, tun } = up(false);
  const talk = "exec 3<>/dev/udp/10.9.0.2/99; echo hello >&3; timeout 3 head -1 <&3";
  const client = Bun.spawn(["ip", "netns", "exec", name, "bash", "-c", talk], { stdout: "pipe" });
  const packet = await next(tun, isUdp);
  expect(packet.length).toBe(20 + 8 + "hello\n".length);
  // Back, with addresses and ports exchanged, all sums stay as they are.
  into.bytes.set(packet);
  into.bytes.set(packet.subarray(16, 20), 12);
  into.bytes.set(packet.subarray(12, 16), 16);
  into.bytes.set(packet.subarray(22, 24), 20);
  into.bytes.set(packet.subarray(20, 22), 22);
  expect(tun.write(into.at, packet.length)).toBe(packet.length);
  expect(await new Response(client.stdout).text()).toBe("hello\n");
  tun.close();
});

asRoot(
  "with offload TCP goes through in pieces larger than the MTU, and comes out right",
  async () => {
    const near = up(true);
    const far = up(true, "t1");
    ip("-n", far.name, "addr", "flush", "dev", "t1");
    ip("-n", far.name, "addr", "add", "10.9.0.2", "peer", "10.9.0.1", "dev", "t1");
    expect(near.tun.header).toBe(VNET_HEADER);
    expect(near.tun.segments.tcp).toBe(true);

    let [received, isOver, longest] = [0, false, 0];
    const server = far.inside.namespace.run(() =>
      Bun.listen({
        hostname: "10.9.0.2",
        port: 0,
        socket: {
          data: (_, bytes) => {
            received += bytes.length;
          },
          close: () => {
            isOver = true;
          },
        },
      }),
    );
    const send = `head -c 3000000 /dev/zero > /dev/tcp/10.9.0.2/${server.port}`;
    const client = Bun.spawn(["ip", "netns", "exec", near.name, "bash", "-c", send]);
    // What comes out of one goes into the other, with its header as it is.
    for (const until = Date.now() + 20_000; !isOver && Date.now() < until; await Bun.sleep(0))
      for (const [from, to] of [
        [near.tun, far.tun],
        [far.tun, near.tun],
      ] as const)
        for (;;) {
          const length = from.read(into.at, into.bytes.length);
          if (length < 0) break;
          longest = Math.max(longest, length);
          to.write(into.at, length);
        }
    expect(received).toBe(3_000_000);
    expect(longest).toBeGreaterThan(10_000);
    await client.exited;
    server.stop(true);
    near.tun.close();
    far.tun.close();
  },
);

asRoot("what is no packet is refused, and a device that is down takes none", () => {
  const { tun, name } = up(true);
  into.bytes.fill(0, 0, 100);
  into.bytes[VNET_HEADER] = 0x10; // no version of IP
  expect(tun.write(into.at, 60)).toBe(REFUSED);
  expect(tun.write(into.at, 4)).toBe(REFUSED);
  into.bytes[VNET_HEADER] = 0x45;
  ip("-n", name, "link", "set", "t0", "down");
  expect(tun.write(into.at, 60)).toBe(REFUSED);
  ip("-n", name, "link", "del", "t0");
  expect(tun.write(into.at, 60)).toBe(GONE);
  expect(tun.read(into.at, 60)).toBe(GONE);
  tun.close();
});

asRoot("names: the kernel counts, says who has one already, and what is none", () => {
  const { namespace } = ownNamespace();
  namespace.run(() => {
    const first = new Tun({ name: "warp%d", kind: "tap", offload: false });
    const second = new Tun({ name: "warp%d", kind: "tun", offload: false });
    expect([first.name, second.name]).toEqual(["warp0", "warp1"]);
    expect(() => new Tun({ name: "warp1", kind: "tun", offload: false })).toThrow(
      "ioctl TUNSETIFF warp1: EBUSY",
    );
    for (const name of ["", "sixteen-letters-", "a/b", "a\0"])
      expect(() => new Tun({ name, kind: "tun", offload: false })).toThrow("EINVAL");
    first.close();
    new Tun({ name: "warp0", kind: "tun", offload: false }).close(); // free again
    second.close();
  });
});

asRoot("several queues of one device", () => {
  const { namespace } = ownNamespace();
  namespace.run(() => {
    const options = { name: "many", kind: "tun", offload: true, queues: true } as const;
    const queues = [new Tun(options), new Tun(options), new Tun(options)];
    expect(queues.map((queue) => queue.name)).toEqual(["many", "many", "many"]);
    for (const queue of queues) queue.close();
  });
});
