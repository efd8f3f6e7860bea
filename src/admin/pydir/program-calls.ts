import { isPlainList, isPlainMap } from "../../config/plain.ts";
import { CannotDo, type Writing } from "./call.ts";
import { edit } from "./changing.ts";

const USERS = ["admin", "users"] as const;

/** Calls about users, and about the program as a whole. */
export const PROGRAM_CALLS: Readonly<Record<string, Writing>> = {
  async addUser(call) {
    const [name, password, access] = [call.arg("name"), call.arg("password"), call.arg("access")];
    if (call.deps.access().users.some((user) => user.name === name))
      return { message: `user ${name} already exists`, body: "NOT OK\n" };
    await edit(call, `pydir addUser name=${name} access=${access}`, () => [
      { kind: "append", path: USERS, value: { name, password, access } },
    ]);
    return { message: `user ${name} added` };
  },

  async delUser(call) {
    const name = call.arg("name");
    if (!call.deps.access().users.some((user) => user.name === name))
      return { message: `user ${name} not found`, body: "NOT OK\n" };
    await edit(call, `pydir delUser name=${name}`, (config) => {
      const users = config.at(USERS);
      const index = (isPlainList(users) ? users : []).findIndex(
        (user) => isPlainMap(user) && user["name"] === name,
      );
      return index < 0 ? [] : [{ kind: "remove", path: [...USERS, index] }];
    });
    return { message: `user ${name} deleted` };
  },

  async save(call) {
    const saved = await call.deps.config.save(call.who, { force: false, render: false });
    if (saved.kind === "rendered") throw new Error("asked to write, not to show");
    if (saved.kind === "refused") throw new CannotDo(saved.why);
    return new Response(`<p>config saved to ${saved.file}</p>\n`, {
      headers: { "Content-Type": "text/plain; charset=utf-8" },
    });
  },

  closeLog({ deps }) {
    deps.reopen();
    return { message: "log files opened again" };
  },

  shutdown({ deps }) {
    deps.stop();
    return { message: "shutting down" };
  },
};
