import { afterEach, expect, test } from "bun:test";

import { Mail, Mailbox } from "../../../src/net/quic/mail.ts";
import { reactor } from "../../../src/net/reactor-loop.ts";
import { holdName } from "../../../src/sys/abstract-names.ts";
import { close } from "../../../src/sys/socket.ts";
import { until } from "../../e2e/from-source.ts";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).toReversed()) end();
});

let listeners = 0;
const listener = (): string => `test-mail:${process.pid}.${++listeners}`;

function box(name: string): string[] {
  const came: string[] = [];
  const it = new Mailbox(name, reactor(), (client, port, datagram) =>
    came.push(`${client.join(".")}:${port} ${Buffer.from(datagram).toString()}`),
  );
  ends.push(() => it.close());
  return came;
}

function mail(name: string): Mail {
  const it = new Mail(name);
  ends.push(() => it.close());
  return it;
}

const CLIENT = Uint8Array.of(192, 0, 2, 7);
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

test("what is passed comes into every box of the listener, and into no other's", async () => {
  const name = listener();
  const [one, two, other] = [box(name), box(name), box(listener())];
  const it = mail(name);
  expect(it.pass(CLIENT, 4433, text("a"), 0)).toBe(true);
  expect(it.pass(new Uint8Array(16).fill(1), 65_535, text(""), 0)).toBe(true);
  await until(() => one.length + two.length === 4);
  expect(one).toEqual(["192.0.2.7:4433 a", `${Array(16).fill(1).join(".")}:65535 `]);
  expect([two, other]).toEqual([one, []]);
});

test("who found nobody finds a box half a second later, and misses one that is gone", async () => {
  const name = listener();
  const it = mail(name);
  expect(it.pass(CLIENT, 1, text("a"), 0)).toBe(false);
  const came = box(name);
  expect(it.pass(CLIENT, 1, text("b"), 500)).toBe(true);
  await until(() => came.length === 1);
  for (const end of ends.splice(1)) end();
  expect(it.pass(CLIENT, 1, text("c"), 1000)).toBe(false);
});

test("a name that says no port is nobody's box", () => {
  const name = listener();
  for (const rest of ["", "1.2.0", "1.2.70000", "1.2.x"]) {
    const fd = holdName(`tern/quic/${name}/${rest}`);
    ends.push(() => close(fd));
  }
  expect(mail(name).pass(CLIENT, 1, text("a"), 0)).toBe(false);
});

test("what is too long for a box is not passed", () => {
  const name = listener();
  box(name);
  expect(mail(name).pass(CLIENT, 1, new Uint8Array(65_507), 0)).toBe(false);
});
