import { expect, test } from "bun:test";
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync } from "node:fs";

import { spaceFor } from "../../src/sys/control.ts";
import { MAX_PAYLOAD, receiveFds, sendFds, socketPair } from "../../src/sys/fd-passing.ts";
import { close } from "../../src/sys/socket.ts";

const text = (s: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(s);
const openFds = (): number => readdirSync("/proc/self/fd").length;

function withPair(run: (a: number, b: number) => void): void {
  const [a, b] = socketPair();
  try {
    run(a, b);
  } finally {
    close(a);
    close(b);
  }
}

test("a descriptor arrives as another number for the same file, close-on-exec", () => {
  withPair((a, b) => {
    const file = openSync("/proc/version", "r");
    expect(sendFds(a, text("listener"), [file])).toBe("sent");
    const got = receiveFds(b);
    if (typeof got === "string") throw new Error(got);
    const [copy = -1] = got.fds;
    expect([got.payload, got.fds.length]).toEqual([text("listener"), 1]);
    expect(copy).not.toBe(file);
    expect(fstatSync(copy).ino).toBe(fstatSync(file).ino);
    const info = readFileSync(`/proc/self/fdinfo/${copy}`, "utf8");
    expect(Number.parseInt(info.match(/^flags:\s*(\d+)/m)?.[1] ?? "0", 8) & 0o2000000).not.toBe(0);
    for (const fd of [file, copy]) closeSync(fd);
  });
});

test("sixty-four at once, in order; and messages keep their bounds", () => {
  withPair((a, b) => {
    const files = Array.from({ length: 64 }, (_, i) =>
      openSync(`/proc/${i % 2 ? "stat" : "version"}`, "r"),
    );
    expect(sendFds(a, text("many"), files)).toBe("sent");
    expect(sendFds(a, text("none"), [])).toBe("sent");
    const got = receiveFds(b);
    if (typeof got === "string") throw new Error(got);
    expect(got.fds.map((fd) => fstatSync(fd).ino)).toEqual(files.map((fd) => fstatSync(fd).ino));
    expect(receiveFds(b)).toEqual({ payload: text("none"), fds: [] });
    for (const fd of [...files, ...got.fds]) closeSync(fd);
  });
});

test("nothing yet, then gone", () => {
  withPair((a, b) => {
    expect(receiveFds(b)).toBe("EAGAIN");
    const [c, d] = socketPair();
    close(c);
    expect(receiveFds(d)).toBe("closed");
    expect(sendFds(d, text("x"), [])).toBe("closed");
    close(d);
    expect(sendFds(a, new Uint8Array(MAX_PAYLOAD), [])).toBe("sent");
    expect(receiveFds(b)).toMatchObject({ payload: new Uint8Array(MAX_PAYLOAD) });
  });
});

test("a reader that does not read is told apart from one that is gone", () => {
  withPair((a) => {
    let sent = 0;
    while (sendFds(a, new Uint8Array(1024), []) === "sent") sent++;
    expect(sent).toBeGreaterThan(0);
    expect(sendFds(a, new Uint8Array(1024), [])).toBe("EAGAIN");
  });
});

test.each([
  { story: "no payload: indistinguishable from the end", payload: 0, fds: 0 },
  { story: "too much payload", payload: MAX_PAYLOAD + 1, fds: 0 },
  { story: "more descriptors than the kernel takes", payload: 1, fds: 254 },
])("$story is refused before it is sent", ({ payload, fds }) => {
  withPair((a, b) => {
    const many = Array<number>(fds).fill(0);
    expect(() => sendFds(a, new Uint8Array(payload), many)).toThrow("EMSGSIZE");
    expect(receiveFds(b)).toBe("EAGAIN");
  });
});

test("a descriptor that is not open is an error of ours", () => {
  withPair((a) => expect(() => sendFds(a, text("x"), [9999])).toThrow(`sendmsg fd ${a}: EBADF`));
});

test("no room for them all: what came is closed again, and the error says so", () => {
  const code = `
    const { receiveFds, sendFds, socketPair } = await import("${import.meta.dir}/../../src/sys/fd-passing.ts");
    const { dlopen, ptr } = await import("bun:ffi");
    const { libcPath } = await import("${import.meta.dir}/../../src/sys/libc.ts");
    const { readdirSync } = await import("node:fs");
    const { setrlimit } = dlopen(libcPath(), { setrlimit: { args: ["i32", "ptr"], returns: "i32" } }).symbols;
    const [a, b] = socketPair();
    const used = () => readdirSync("/proc/self/fd").length;
    sendFds(a, Uint8Array.of(1), [0, 0, 0, 0, 0, 0, 0, 0]);
    const before = used();
    const highest = Math.max(...readdirSync("/proc/self/fd").map(Number));
    setrlimit(7, ptr(new BigUint64Array(new BigUint64Array([BigInt(highest) + 3n, 20000n]).buffer)));
    try { console.log("received", receiveFds(b)); } catch (e) { console.log(e.code); }
    setrlimit(7, ptr(new BigUint64Array(new BigUint64Array([1000n, 20000n]).buffer)));
    console.log(used() - before);`;
  const child = Bun.spawnSync([process.execPath, "-e", code]);
  expect(child.stdout.toString()).toBe("EMFILE\n0\n");
}, 30_000);

test("across a process: a child's listening socket is ours to accept on", async () => {
  const [ours, theirs] = socketPair();
  const code = `
    const { sendFds } = await import("${import.meta.dir}/../../src/sys/fd-passing.ts");
    const { listenStream } = await import("${import.meta.dir}/../../src/sys/listen.ts");
    const { fd, port } = listenStream({ kind: "tcp", host: "127.0.0.1", port: 0 },
      { backlog: 8, reusePort: true, fastOpen: 0, deferAccept: 0 });
    sendFds(3, new TextEncoder().encode(String(port)), [fd]);`;
  const child = Bun.spawn([process.execPath, "-e", code], {
    stdio: ["ignore", "inherit", "inherit", theirs],
  });
  expect(await child.exited).toBe(0);
  const got = receiveFds(ours);
  if (typeof got === "string") throw new Error(got);
  const port = Number(new TextDecoder().decode(got.payload));
  const client = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
  client.end();
  for (const fd of [ours, theirs, ...got.fds]) close(fd);
}, 30_000);

test("nothing leaks", () => {
  const before = openFds();
  const [a, b] = socketPair();
  for (let i = 0; i < 50; i++) {
    sendFds(a, text("x"), [0, 1, 2]);
    const got = receiveFds(b);
    if (typeof got !== "string") for (const fd of got.fds) close(fd);
  }
  // Sent, never received: the kernel closes them with the socket.
  sendFds(a, text("x"), [0]);
  close(a);
  close(b);
  expect(openFds()).toBe(before);
  expect(spaceFor(64)).toBe(272);
  expect(existsSync("/proc/self/fd/0")).toBe(true);
});
