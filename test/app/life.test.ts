import { expect, test } from "bun:test";
import { EventEmitter } from "node:events";

import { listenToSignals } from "../../src/app/life.ts";
import { silent } from "../../src/observe/log.ts";

function made() {
  const signals = new EventEmitter();
  const diary: string[] = [];
  const say = (word: string) => () => void diary.push(word);
  const deaf = listenToSignals(
    {
      stop: say("stop"),
      stopNow: say("now"),
      reopen: say("reopen"),
      reload: async () => diary.push("reload"),
      upgrade: async () => {
        diary.push("upgrade");
        throw new Error("no such file");
      },
    },
    silent,
    signals,
  );
  return { signals, diary, deaf };
}

test.each([
  { signals: ["SIGHUP"], diary: ["reload"] },
  { signals: ["SIGUSR1"], diary: ["reopen"] },
  { signals: ["SIGUSR2", "SIGUSR2"], diary: ["upgrade", "upgrade"] },
  { signals: ["SIGTERM"], diary: ["stop"] },
  { signals: ["SIGINT", "SIGINT"], diary: ["stop", "now"] },
  { signals: ["SIGTERM", "SIGINT"], diary: ["stop", "now"] },
])("$signals: $diary", async ({ signals, diary }) => {
  const it = made();
  for (const signal of signals) it.signals.emit(signal);
  await Bun.sleep(0);
  expect(it.diary).toEqual([...diary]);
});

test("afterwards nobody listens", () => {
  const { signals, deaf } = made();
  deaf();
  expect(signals.eventNames()).toEqual([]);
});
