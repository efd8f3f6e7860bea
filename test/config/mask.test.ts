import { expect, test } from "bun:test";

import fc from "fast-check";
import { parse } from "yaml";

import { masked } from "../../src/config/mask.ts";

const HASH = "$argon2id$v=19$m=65536,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA";

test.each([
  ["a plain value", "password: hunter2", 'password: "***"'],
  ["in quotes", "password: 'hunter2' # mine", 'password: "***" # mine'],
  ["a number", "token: 12345", 'token: "***"'],
  ["references stay", 'secret: "file:./a"\ntoken: env:B', 'secret: "file:./a"\ntoken: env:B'],
  ["nothing to hide", "password:\nuser: kim", "password:\nuser: kim"],
  ["a hash under any name", `kim: ${HASH}`, 'kim: "***"'],
  ["users of a site", "users: { kim: hunter2 }", 'users: { kim: "***" }'],
  [
    "users with names",
    "users: [{ name: kim, password: x }]",
    'users: [{ name: kim, password: "***" }]',
  ],
  [
    "a longer name",
    "client_secret: x\nX-Auth-Token: y",
    'client_secret: "***"\nX-Auth-Token: "***"',
  ],
  ["keys of a store", 'access_key: A\nsecret_key: "B"', 'access_key: "***"\nsecret_key: "***"'],
  ["a tunnel's key", "key: b64==", 'key: "***"'],
  [
    "the path of a certificate's key",
    "{ cert: a.pem, key: ./a.key }",
    "{ cert: a.pem, key: ./a.key }",
  ],
  ["a list", "tokens: [a, b]", 'tokens: ["***", "***"]'],
  ["a URL", "redis: redis://u:hunter2@h:1/0", "redis: redis://u:***@h:1/0"],
  ["a URL with @ in its password", "a: redis://u:hun@ter@2@h:1/0", "a: redis://u:***@h:1/0"],
  [
    "a URL and another @ behind it",
    '{"a":"redis://u:p@h","b":"x@y"}',
    '{"a":"redis://u:***@h","b":"x@y"}',
  ],
  ["a block", "secret: |\n  one\n  two\nuser: kim", 'secret: "***"\nuser: kim'],
  ["an anchor used in itself", "password: &p [a, *p]", 'password: &p ["***", *p]'],
  ["… and broken off", '{*a &a password: {""*a', '{*a &a password: {""*a'],
  ["an anchor used elsewhere", "x: &p hunter2\npassword: *p", 'x: &p "***"\npassword: *p'],
  [
    "a comment",
    "# password: hunter2\na: 1 # token = x, y",
    '# password: "***"\na: 1 # token = "***", y',
  ],
  ["a hash in a comment", `# was ${HASH}`, "# was ***"],
  ["a text that is no YAML", "a: [\npassword: hunter2\n  b: }", 'a: [\npassword: "***"\n  b: }'],
  [
    "words that only look like it",
    "monkey: 1\ntsig: key1\ntokenize: no",
    "monkey: 1\ntsig: key1\ntokenize: no",
  ],
])("%s", (_, text, shown) => expect(masked(text)).toBe(shown));

test("aliases of aliases of aliases are masked in no time", () => {
  const lists = Array.from({ length: 60 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`);
  expect(masked(`a0: &a0 [one]\n${lists.join("\n")}\npassword: *a60`)).toContain('a0: &a0 ["***"]');
});

const word = fc.stringMatching(/^[a-j]{1,6}$/);
const noise = fc.dictionary(word, fc.oneof(word, fc.integer(), fc.array(word)));

test("a secret never shows and the rest still says the same", () => {
  const name = fc.constantFrom("password", "secret", "token", "access_key", "psk");
  fc.assert(
    fc.property(noise, name, fc.boolean(), (config, name, flow) => {
      const inner = JSON.stringify({ ...config, [name]: "HUNTER2" });
      const text = flow
        ? `a: ${inner}\n`
        : `a:\n  ${name}: HUNTER2\n  rest: ${JSON.stringify(config)}\n`;
      const shown = masked(text);
      expect(shown).not.toContain("HUNTER2");
      expect(parse(shown)).toEqual(
        parse(text.replaceAll("HUNTER2", "***").replace(": ***", ': "***"')),
      );
    }),
  );
});

test("no text makes it throw", () => {
  const text = fc
    .array(
      fc.constantFrom(
        "a",
        ":",
        " ",
        "\n",
        "-",
        "[",
        "{",
        "&a ",
        "*a",
        "password: x",
        "#",
        '"',
        "|",
      ),
    )
    .map((parts) => parts.join(""));
  fc.assert(fc.property(fc.oneof(fc.string(), text), (text) => void masked(text)));
});
