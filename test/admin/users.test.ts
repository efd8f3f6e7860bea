import { describe, expect, test } from "bun:test";

import { adminApp } from "../../src/admin/app.ts";
import { losesLastUser } from "../../src/admin/last-user.ts";
import { edit, written } from "../../src/config/edit.ts";
import { Secret } from "../../src/config/secret.ts";
import { ANN, basic, BOB, caller, fakeDeps, logIn, PASSWORD } from "./fake-deps.ts";

const CONFIG = `admin:
  users:
    # who may do everything
    - { name: ann, password: "${ANN.password.reveal()}" }   # boss
    - name: bob
      password: file:./bob.hash
      access: readonly
`;
const HASH = BOB.password.reveal();

interface Config {
  readonly admin: {
    readonly users: readonly { name: string; password: string; access?: string }[];
  };
}

/** An appliance whose users are what its text says. */
function made(text = CONFIG) {
  let now = text;
  const users = () => {
    const { admin } = written(now).at([]) as unknown as Config;
    return admin.users.map(({ name, password, access = "full" }) => ({
      name,
      password: new Secret(password.startsWith("file:") ? HASH : password),
      access: access as "full" | "readonly",
    }));
  };
  const { deps } = fakeDeps();
  const said: string[] = [];
  let known = users();
  const app = adminApp({
    ...deps,
    access: () => ({ users: known, hosts: [] }),
    config: {
      ...deps.config,
      edit: async (what, who, edits, how) => {
        const before = now;
        now = edit(now, edits(written(now)));
        if (!how?.force && losesLastUser(known, users())) {
          now = before;
          return { kind: "last user" };
        }
        said.push(`${who}: ${what}`);
        known = users();
        return { kind: "done", changed: ["admin"], notes: [], generation: 2, unsaved: 1 };
      },
    },
  });
  const ask = async (
    method: string,
    path: string,
    body?: object,
    on: "unix" | "loopback" = "unix",
  ) => {
    const response = await app.request(
      `/api/v1/users${path}`,
      {
        method,
        headers: {
          "Content-Type": "application/json",
          ...(on === "loopback" && { Authorization: basic("ann", PASSWORD.ann) }),
        },
        ...(body && { body: JSON.stringify(body) }),
      },
      caller(on),
    );
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };
  return { app, ask, said, text: () => now, users };
}

test("who may come in, without their passwords", async () => {
  const { ask } = made();
  expect((await ask("GET", "")).json).toEqual([
    { name: "ann", access: "full" },
    { name: "bob", access: "readonly" },
  ] as never);
});

describe("a new user", () => {
  test("with a password in clear, which is kept as a hash", async () => {
    const { ask, text, said, users } = made();
    const put = await ask("PUT", "/eve", { password: "open sesame", access: "readonly" });
    expect(put).toMatchObject({ status: 200, json: { changed: ["admin"], unsaved: 1 } });
    const eve = users().find(({ name }) => name === "eve");
    expect(eve?.access).toBe("readonly");
    expect(await Bun.password.verify("open sesame", eve?.password.reveal() ?? "")).toBe(true);
    expect(eve?.password.reveal()).toStartWith("$argon2id$");
    expect(text()).not.toContain("open sesame");
    expect(text()).toStartWith(CONFIG);
    expect(said).toEqual(["unix socket: user eve added as readonly"]);
  });

  test("with a hash, which is kept as it is", async () => {
    const { ask, users } = made();
    await ask("PUT", "/eve", { password: HASH });
    expect(users().at(-1)).toMatchObject({ name: "eve", access: "full" });
    expect(users().at(-1)?.password.reveal()).toBe(HASH);
  });

  test("a password that only looks like an old hash is a password", async () => {
    const { ask, users } = made();
    await ask("PUT", "/eve", { password: "abcdefghijklm" }); // as DES has it: 13 letters
    expect(
      await Bun.password.verify("abcdefghijklm", users().at(-1)?.password.reveal() ?? ""),
    ).toBe(true);
  });

  test.each([
    { story: "no password", name: "eve", body: {} },
    { story: "an empty one", name: "eve", body: { password: "" } },
    { story: "one without end", name: "eve", body: { password: "x".repeat(2000) } },
    { story: "a colon", name: "e:ve", body: { password: "x" } },
    { story: "a space", name: "e%20ve", body: { password: "x" } },
    { story: "other rights", name: "eve", body: { password: "x", access: "some" } },
    { story: "a key nobody knows", name: "eve", body: { password: "x", admin: true } },
  ])("refused: $story", async ({ name, body }) => {
    const { ask, text } = made();
    expect((await ask("PUT", `/${name}`, body)).status).toBe(400);
    expect(text()).toBe(CONFIG);
  });
});

describe("a change", () => {
  test("of rights leaves the password where it is", async () => {
    const { ask, text } = made();
    await ask("PUT", "/bob", { access: "full" });
    expect(text()).toBe(CONFIG.replace("access: readonly", "access: full"));
  });

  test("of a password leaves the rights", async () => {
    const { ask, text } = made();
    await ask("PUT", "/bob", { password: HASH });
    expect(text()).toContain(`name: bob\n      password: "${HASH}"\n      access: readonly`);
  });

  test("removal takes nobody else's comment", async () => {
    const { ask, text } = made();
    expect((await ask("DELETE", "/bob")).status).toBe(200);
    expect(text()).toBe(CONFIG.slice(0, CONFIG.indexOf("    - name: bob")));
    expect((await ask("DELETE", "/bob")).status).toBe(404);
  });
});

describe("the last who may change anything", () => {
  test.each([
    { story: "is not removed", method: "DELETE", body: undefined },
    { story: "is not made readonly", method: "PUT", body: { access: "readonly" } },
  ])("$story, unless by force", async ({ method, body }) => {
    const { ask, text } = made();
    const refused = await ask(method, "/ann", body, "loopback");
    expect(refused).toMatchObject({ status: 409, json: { error: "last_user" } });
    expect(text()).toBe(CONFIG);
    expect((await ask(method, "/ann?force=1", body, "loopback")).status).toBe(200);
    expect(text()).not.toBe(CONFIG);
  });

  test("goes by the unix socket, which is always there to let others in", async () => {
    const { ask } = made();
    expect((await ask("DELETE", "/ann")).status).toBe(200);
  });

  test("may change their own password, and go when there is another", async () => {
    const { ask } = made();
    expect((await ask("PUT", "/ann", { password: HASH })).status).toBe(200);
    await ask("PUT", "/bob", { access: "full" });
    expect((await ask("DELETE", "/ann")).status).toBe(200);
  });

  test("the first user may be readonly: nobody loses anything", async () => {
    const { ask } = made("admin: { users: [] }\n");
    expect((await ask("PUT", "/eve", { password: HASH, access: "readonly" })).status).toBe(200);
  });
});

test.each([
  { story: "removed", method: "DELETE", body: undefined, status: 401 },
  { story: "made readonly", method: "PUT", body: { access: "readonly" }, status: 401 },
  { story: "given another password", method: "PUT", body: { password: HASH }, status: 401 },
])("sessions of a user who is $story end at once", async ({ method, body, status }) => {
  const { app, ask } = made();
  await ask("PUT", "/eve", { password: HASH }); // somebody else with full access
  const { token } = await logIn(app, "ann");
  const me = async () => {
    const headers = { Authorization: `Bearer ${token}` };
    return (await app.request("/api/v1/me", { headers }, caller("loopback"))).status;
  };
  expect(await me()).toBe(200);
  expect((await ask(method, "/ann", body)).status).toBe(200);
  expect(await me()).toBe(status);
});
