import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

import { parentDeathSignal, setProcessName } from "../../src/sys/process.ts";

const SYS = `${import.meta.dir}/../../src/sys`;

test("the name is what ps shows, cut to fifteen bytes", () => {
  const before = readFileSync("/proc/self/comm", "utf8").trim();
  setProcessName("tern: worker number 12");
  expect(readFileSync("/proc/self/comm", "utf8")).toBe("tern: worker nu\n");
  setProcessName(before);
});

test("the soft limit of open files is raised to the hard one", () => {
  // In a process of its own, and by hand: Bun raises what `ulimit` set when it starts.
  const code = `
    const { openLibc } = await import("${SYS}/libc.ts");
    const { block, pointer } = await import("${SYS}/memory.ts");
    const { openFileLimit } = await import("${SYS}/process.ts");
    const { setrlimit } = openLibc({ setrlimit: { args: ["i32", "ptr"], returns: "i32" } });
    const limit = block(16);
    limit.view.setBigUint64(0, 100n, true);
    limit.view.setBigUint64(8, 300n, true);
    setrlimit(7, pointer(limit.at));
    console.log(openFileLimit(), openFileLimit());
    console.log(/^Max open files +(\\d+) +(\\d+)/m.exec(require("fs").readFileSync("/proc/self/limits", "utf8")).slice(1).join(" "));`;
  const run = Bun.spawnSync([process.execPath, "-e", code]);
  expect(run.stdout.toString()).toBe("300 300\n300 300\n");
}, 30_000);

test.each([
  { story: "as many as we say", said: undefined, most: "12" },
  { story: "as many as the operator says", said: "3", most: "3" },
])(
  "threads that wait for files: $story",
  ({ said, most }) => {
    // In a process of its own. What the C library hears is what the runtime asks for.
    const code = `
    const { openLibc } = await import("${SYS}/libc.ts");
    const { fileThreads } = await import("${SYS}/process.ts");
    fileThreads(12);
    const { getenv } = openLibc({ getenv: { args: ["buffer"], returns: "cstring" } });
    console.log(String(getenv(Buffer.from("UV_THREADPOOL_SIZE\\0"))));`;
    const { UV_THREADPOOL_SIZE: _, ...env } = process.env;
    const run = Bun.spawnSync([process.execPath, "-e", code], {
      env: { ...env, ...(said !== undefined && { UV_THREADPOOL_SIZE: said }) },
    });
    expect(run.stdout.toString()).toBe(`${most}\n`);
  },
  30_000,
);

test("a child ends with the parent that started it", async () => {
  const grandchild = `
    const { parentDeathSignal } = await import("${SYS}/process.ts");
    console.log(process.pid, parentDeathSignal(9, process.ppid));
    setInterval(() => {}, 1000);`;
  const code = `
    const child = Bun.spawn([process.execPath, "-e", ${JSON.stringify(grandchild)}], { stdout: "pipe" });
    const { value } = await child.stdout.getReader().read();
    process.stdout.write(value);
    process.kill(process.pid, 9);`;
  const parent = Bun.spawn([process.execPath, "-e", code], { stdout: "pipe" });
  const [pid, asked] = (await new Response(parent.stdout).text()).trim().split(" ");
  expect(asked).toBe("asked");
  await parent.exited;
  expect(await gone(Number(pid))).toBe(true);
}, 30_000);

test("whose parent is gone already learns it", () => {
  expect(parentDeathSignal(0, process.ppid)).toBe("asked");
  expect(parentDeathSignal(0, process.ppid + 1)).toBe("orphan");
});

/** Has the process ended (a zombie counts) within ten seconds? */
async function gone(pid: number): Promise<boolean> {
  for (let i = 0; i < 200; i++) {
    const status = await Bun.file(`/proc/${pid}/status`)
      .text()
      .catch(() => "State:\tX");
    if (/^State:\s+[ZX]/m.test(status)) return true;
    await Bun.sleep(50);
  }
  return false;
}
