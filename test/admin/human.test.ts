import { expect, test } from "bun:test";

import { human, title } from "../../src/admin/human.ts";

test.each([
  { key: "rssBytes", value: 0, says: "0 B", named: "rss" },
  { key: "rssBytes", value: 57_376_768, says: "54.7 MiB", named: "rss" },
  { key: "lag_ms", value: 1.4, says: "1 ms", named: "lag" },
  { key: "uptimeMs", value: 59_999, says: "59 s", named: "uptime" },
  { key: "uptimeMs", value: 3_600_000, says: "1 h 0 min", named: "uptime" },
  { key: "uptimeMs", value: 90_000_000, says: "1 d 1 h", named: "uptime" },
  { key: "startedAt", value: 0, says: "1970-01-01 00:00:00 UTC", named: "started at" },
  { key: "requests", value: 12_345, says: "12,345", named: "requests" },
  { key: "pid", value: 12_345, says: "12345", named: "pid" },
])("$key $value is $says", ({ key, value, says, named }) => {
  expect(human(key, value)).toBe(says);
  expect(title(key)).toBe(named);
});
