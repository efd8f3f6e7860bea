import { describe, expect, test } from "bun:test";

import { capabilities, dropTo, findUser } from "../../src/sys/identity.ts";
import { asRoot, needs } from "./needs.ts";

const SYS = `${import.meta.dir}/../../src/sys`;

/** What `code` prints in a process of its own: a dropped identity never comes back. */
function child(code: string): string[] {
  const head = `
    import { readdirSync, readFileSync } from "node:fs";
    const { capabilities, dropTo, keepOnly } = await import("${SYS}/identity.ts");
    const { listenStream } = await import("${SYS}/listen.ts");
    const say = (...what) => console.log(...what);
    const tried = (run) => { try { run(); return "done"; } catch (e) { return e.code ?? e.message; } };
    const listen = () => tried(() => listenStream({ kind: "tcp", host: "127.0.0.1", port: 1 }, { backlog: 1, reusePort: false, fastOpen: 0, deferAccept: 0 }));
    const field = (status, name) => new RegExp("^" + name + ":\\\\s*(.*)$", "m").exec(status)[1].trim();
  `;
  const run = Bun.spawnSync([process.execPath, "-e", head + code], { stderr: "inherit" });
  return run.stdout.toString().trim().split("\n");
}

test("users are found by name", () => {
  expect(findUser("root")).toEqual({ name: "root", uid: 0, gid: 0 });
  expect(findUser("no such user")).toBeUndefined();
});

const hasNobody = findUser("nobody") !== undefined;
const dropping = needs(process.getuid?.() === 0 && hasNobody, "root and a user nobody");

describe("dropping", () => {
  dropping(
    "every thread follows, and root cannot be had again",
    () => {
      const said = child(`
      const busy = new Worker(URL.createObjectURL(new Blob(["setInterval(() => {}, 1000); postMessage(1)"])));
      await new Promise((r) => (busy.onmessage = r));
      dropTo("nobody", { keep: [] });
      const threads = readdirSync("/proc/self/task").map((t) => readFileSync("/proc/self/task/" + t + "/status", "utf8"));
      say(threads.length > 2);
      say([...new Set(threads.map((s) => field(s, "Uid")))].join());
      say([...new Set(threads.map((s) => field(s, "Gid")))].join());
      say([...new Set(threads.map((s) => field(s, "CapPrm")))].join());
      say(tried(() => process.setuid(0)), tried(() => process.setgid(0)));
      say(tried(() => readFileSync("/etc/shadow")), listen());
      process.exit(0);`);
      const nobody = findUser("nobody");
      const four = (id?: number): string => Array<unknown>(4).fill(id).join("\t");
      expect(said).toEqual([
        "true",
        four(nobody?.uid),
        four(nobody?.gid),
        "0000000000000000",
        "EPERM EPERM",
        "EACCES EACCES",
      ]);
    },
    30_000,
  );

  dropping(
    "a capability that is kept works here, and in a program started from here",
    () => {
      const again = `
      const { listenStream } = await import("${SYS}/listen.ts");
      listenStream({ kind: "tcp", host: "127.0.0.1", port: 1 }, { backlog: 1, reusePort: false, fastOpen: 0, deferAccept: 0 });
      console.log("bound again");`;
      const said = child(`
      dropTo("nobody", { keep: ["CAP_NET_BIND_SERVICE"] });
      say(capabilities().effective.join());
      say(Bun.spawnSync([process.execPath, "-e", ${JSON.stringify(again)}]).stdout.toString().trim());
      say(field(readFileSync("/proc/self/status", "utf8"), "NoNewPrivs"));
      say(field(readFileSync("/proc/self/status", "utf8"), "CapBnd"));
      keepOnly([]);
      say(listen());`);
      expect(said).toEqual([
        "CAP_NET_BIND_SERVICE",
        "bound again",
        "1",
        "0000000000000400",
        "EACCES",
      ]);
    },
    30_000,
  );

  dropping(
    "files are still written durably, though /proc/self is root's now",
    () => {
      const said = child(`
      import { chownSync, mkdtempSync, rmSync } from "node:fs";
      const { replaceFile } = await import("${SYS}/durable.ts");
      const dir = mkdtempSync("/tmp/tern-dropped-");
      chownSync(dir, 65534, 65534);
      dropTo("nobody", { keep: [] });
      await replaceFile(dir + "/a", "old");
      await replaceFile(dir + "/a", "new");
      say(readdirSync(dir).join(), readFileSync(dir + "/a", "utf8"));
      rmSync(dir, { recursive: true, force: true });`);
      expect(said).toEqual(["a new"]);
    },
    30_000,
  );

  dropping(
    "refused: keeping the power to become someone else; root itself; nobody known",
    () => {
      const said = child(`
      say(tried(() => dropTo("no such user", { keep: [] })));
      say(tried(() => dropTo("root", { keep: [] })));
      say(tried(() => dropTo("nobody", { keep: ["CAP_SETUID"] })));`);
      expect(said).toEqual(["ENOENT", "EINVAL", "EPERM"]);
    },
    30_000,
  );

  asRoot("root has every capability of this kernel or container", () => {
    expect(capabilities().effective).toContain("CAP_SETUID");
  });

  needs(process.getuid?.() !== 0 && hasNobody, "a user who is not root")(
    "only root can drop",
    () => {
      expect(() => dropTo("nobody", { keep: [] })).toThrow("EPERM");
      expect(capabilities().effective).toEqual([]);
    },
  );
});
