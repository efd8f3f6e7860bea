import { expect, test } from "bun:test";

import { sources } from "../../house/sources.ts";

/** Ways to make markup or code out of text. The page has none of them: its text is text. */
const UNSAFE =
  /innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|createContextualFragment|\beval\(|new Function|javascript:|srcdoc|createPolicy/;

test("the page has no way from text to markup", async () => {
  const page = (await sources()).filter(({ path }) => path.startsWith("admin/console/page/"));
  expect(page.length).toBeGreaterThan(30);
  expect(page.filter(({ text }) => UNSAFE.test(text)).map(({ path }) => path)).toEqual([]);
});
