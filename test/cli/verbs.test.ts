import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

import { build } from "../../src/cli/program.ts";
import { type Said, said } from "../e2e/binary.ts";
import { TERN } from "../e2e/from-source.ts";
import { temporary } from "../fake/temporary.ts";

setDefaultTimeout(60_000); // the program itself, many times

const tern = (...args: string[]): Promise<Said> => said([...TERN, ...args]);

test("every verb has help with an example", () => {
  for (const verb of build().commands) {
    let help = "";
    verb.configureOutput({ writeOut: (text) => void (help += text) }).outputHelp();
    expect(help).toContain(`Usage: tern ${verb.name()}`);
    expect(help).toMatch(/Examples:\n {2}.*tern /);
  }
});

test.each([
  { args: ["version"], code: 0, out: /^tern \d+\.\d+\.\d+ \(Bun / },
  { args: ["version", "--json"], code: 0, out: /"version": "\d/ },
  { args: ["--help"], code: 0, out: /Exit codes: 0 done/ },
  { args: ["check", "--help"], code: 0, out: /Examples:/ },
  { args: ["do", "--help"], code: 0, out: /Examples:\n {2}tern do\n {2}tern do pools state / },
  { args: ["chek"], code: 2, err: /Did you mean check\?/ },
  { args: ["check", "--nonsense"], code: 2, err: /unknown option '--nonsense'/ },
  { args: [], code: 2, err: /Usage: tern VERB/ },
  { args: ["status", "--socket", "/nowhere/t.sock"], code: 3, err: /^tern: tern is not running/ },
  {
    args: ["check", "-c", "/nowhere.yaml"],
    code: 1,
    err: /^tern: \/nowhere.yaml: no such file\n$/,
  },
  { args: ["run", "-c", "/nowhere.yaml"], code: 1, err: /^tern: \/nowhere.yaml: no such file\n$/ },
  { args: ["web", "/nowhere"], code: 2, err: /no such directory/ },
  { args: ["import", "/nowhere"], code: 1, err: /^tern: \/nowhere: no such file\n$/ },
  { args: ["import", "/"], code: 1, err: /^tern: \/: it is a directory\n$/ },
  { args: ["tunnel", "import", "/nowhere"], code: 1, err: /^tern: \/nowhere: no such file\n$/ },
  { args: ["completion", "csh"], code: 2, err: /it is bash, zsh or fish/ },
  { args: ["worker"], code: 2, err: /for the supervisor's own use/ },
  { args: ["schema"], code: 0, out: /"\$schema"/ },
] as { args: string[]; code: number; out?: RegExp; err?: RegExp }[])(
  "tern $args: $code",
  async ({ args, code, out = /^$/, err = /^$/ }) => {
    const it = await tern(...args);
    expect(it.out).toMatch(out);
    expect(it.err).toMatch(err);
    expect(it.code).toBe(code);
  },
);

test("a stack is shown to those who ask for it", async () => {
  const it = await tern("check", "-c", "/nowhere.yaml", "--debug");
  expect(it.err).toContain("    at ");
});

test("check tells every problem with its place, also as JSON", async () => {
  await using dir = await temporary();
  const config = join(dir.path, "tern.yaml");
  await Bun.write(config, "workers: many\nweb:\n  site:\n    rot: ./www\n");
  const it = await tern("check", "-c", config);
  expect([it.code, it.out]).toEqual([1, ""]);
  expect(it.err).toContain(`${config}:1:10: workers: expected "auto" or a number`);
  expect(it.err).toContain(`${config}:4:5:`);
  expect(it.err).toContain('did you mean "root"?');
  expect(it.err).not.toContain("\x1b[");

  const json = JSON.parse((await tern("check", "--json", "-c", config)).out);
  expect(json).toMatchObject({ ok: false, problems: [{ line: 1, column: 10 }, { line: 4 }] });
});

test("check finds what only opening shows", async () => {
  await using dir = await temporary();
  const config = join(dir.path, "tern.yaml");
  await Bun.write(config, "web:\n  site:\n    root: ./nothing\n");
  const it = await tern("check", "-c", config);
  expect(it.code).toBe(1);
  expect(it.err).toContain(`${config}:3:11: web.site.root:`);
  await Bun.write(join(dir.path, "nothing", "x"), "");
  expect((await tern("check", "-c", config)).out).toBe(`${config}: good; web\n`);
});

test("the built-in config is good", async () => {
  await using dir = await temporary();
  const it = await said([...TERN, "check"], { cwd: dir.path });
  expect([it.code, it.err]).toEqual([0, ""]);
});

test("hash-password reads one line of a pipe", async () => {
  const child = Bun.spawn([...TERN, "hash-password"], {
    stdio: [Buffer.from("correct horse\nmore\n"), "pipe", "inherit"],
  });
  const hash = (await new Response(child.stdout).text()).trim();
  expect(hash).toStartWith("$argon2id$");
  expect(await Bun.password.verify("correct horse", hash)).toBe(true);
});

test("import writes YAML that check takes, and never over a file", async () => {
  await using dir = await temporary();
  const old = join(dir.path, "3xsd.conf");
  const next = join(dir.path, "tern.yaml");
  await Bun.write(old, `[3wsd]\nroot = ${dir.path}\nnonsense = 1\n`);
  const it = await tern("import", old, "-o", next);
  expect(it.code).toBe(0);
  expect(it.err).toContain(`${old}:3: `);
  expect((await tern("check", "-c", next)).code).toBe(0);
  expect((await tern("import", old, "-o", next)).code).toBe(1);
});

test.each(["bash", "zsh", "fish"])(
  "completion for %s knows the verbs, and the shell takes it",
  async (shell) => {
    const { out } = await tern("completion", shell);
    for (const word of ["reload", "hash-password", "autoindex"]) expect(out).toContain(word);
    const path = Bun.which(shell);
    if (!path) return; // not on this machine
    const child = Bun.spawn([path, "-n"], { stdio: [Buffer.from(out), "ignore", "pipe"] });
    expect(await new Response(child.stderr).text()).toBe("");
  },
);
