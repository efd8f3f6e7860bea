/** Who is silent: the peer, or we, who were stopped and have not read yet what came in the meantime. */
import { expect, test } from "bun:test";

import { UdtAccept } from "../../../src/wire/udt/accept.ts";
import { Bbr } from "../../../src/wire/udt/congestion/bbr.ts";
import { UdtConnection } from "../../../src/wire/udt/connection.ts";
import { Control, HEADER, putControl } from "../../../src/wire/udt/packet.ts";
import { ADDRESS, World } from "./two-ends.ts";

const SECOND = 1_000_000;
const out = new Uint8Array(new ArrayBuffer(65_536));

/** What the peer said while we were away: it is in our socket. */
function word(to: UdtConnection): Uint8Array {
  putControl(out, 0, Control.keepalive, 0, 0, to.id);
  return out.slice(0, HEADER + 4);
}

test.each([
  { story: "here", away: 0, sends: false, state: "broken" },
  { story: "stopped for ten seconds", away: 10, sends: false, state: "open" },
  {
    story: "stopped for ten seconds, with something to send",
    away: 10,
    sends: true,
    state: "open",
  },
])(
  "a peer that speaks at the last moment, to one who was $story: $state",
  ({ away, sends, state }) => {
    const world = new World({ delay: 1_000 });
    const { client } = world.pair({});
    world.run(SECOND);
    world.there.down = world.back.down = true;
    if (sends) client.send(out, 0, 10_000);
    // It is looked at after 45.9 s the last time.
    world.run(45 * SECOND);
    expect(client.state).toBe("open");
    const last = client.wakeAt();
    const now = last + away * SECOND;
    while (client.poll(now, out, 0) > 0);
    client.receive(word(client), 0, HEADER + 4, now);
    expect(client.state).toBe(state as typeof client.state);
    if (state !== "open") return;
    // And who is silent from then on is called so, after as long as ever.
    world.now = now;
    world.run(100 * SECOND, () => client.state === "broken");
    expect([client.end, Math.round((world.now - now) / SECOND)]).toEqual(["peer is silent", 46]);
  },
);

test.each([0, 400_000, 5 * SECOND])(
  "one who is always late by %i µs calls it silent, too",
  (turn) => {
    const world = new World({ delay: 1_000 });
    const { client } = world.pair({});
    world.run(SECOND);
    world.turn = turn;
    world.there.down = world.back.down = true;
    world.run(300 * SECOND, () => client.state === "broken");
    expect(client.end).toBe("peer is silent");
  },
);

test("an answer that waits in the socket of one who was stopped is heard", () => {
  let now = SECOND;
  const client = new UdtConnection({
    kind: "stream",
    role: "client",
    id: 7,
    initial: 12_345,
    peerAddress: ADDRESS,
    congestion: new Bbr(),
    now,
  });
  const accept = new UdtAccept({
    kind: "stream",
    cookie: () => 42,
    id: () => 8,
    congestion: () => new Bbr(),
    most: 1,
  });
  for (const step of ["cookie", "connection"]) {
    const asked = client.poll(now, out, 0);
    const answer = accept.receive(out, 0, asked, "peer", ADDRESS, now, out, 1000);
    expect([step, answer]).not.toEqual([step, 0]);
    const waiting = out.slice(1000, 1000 + answer);
    now += 10 * SECOND;
    while (client.poll(now, out, 0) > 0);
    expect(client.state).toBe("connecting");
    client.receive(waiting, 0, answer, now);
  }
  expect(client.state).toBe("open");
});
