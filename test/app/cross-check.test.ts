import { expect, test } from "bun:test";

import { crossProblems } from "../../src/app/cross-check.ts";

const text = `pools:
  app: {}
balance:
  web: { groups: { main: { pool: app }, next: { pool: "ap" } } }
  mail:
    pool: none
`;
const complain = (path: (string | number)[], message: string) => ({ path, message });

test("what a service has against the other sections is told where it stands", () => {
  const seen: unknown[] = [];
  const problems = crossProblems(
    [
      { name: "pools" },
      {
        name: "balance",
        check: (config: unknown, sections) => {
          seen.push(config, sections);
          return [
            complain(["balance", "mail", "pool"], "there is no pool none"),
            complain(["balance", "web", "groups", "next", "pool"], "there is no pool ap"),
          ];
        },
      },
      { name: "proxy", check: () => [complain(["proxy"], "it is not there, so it is not asked")] },
    ],
    { pools: 1, balance: 2 },
    { text, file: "tern.yaml" },
  );
  expect(seen).toEqual([2, { pools: 1, balance: 2 }]);
  expect(problems.map(({ line, column, path, message }) => [line, column, path, message])).toEqual([
    [4, 55, "balance.web.groups.next.pool", "there is no pool ap"],
    [6, 11, "balance.mail.pool", "there is no pool none"],
  ]);
  expect(problems[1]?.excerpt).toBe("      pool: none\n            ^");
});
