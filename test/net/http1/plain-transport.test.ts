import { afterEach, expect, test } from "bun:test";

import type { Front } from "../../../src/net/fronts/front.ts";
import { PlainTransport } from "../../../src/net/http1/plain-transport.ts";
import type { Session } from "../../../src/net/http1/session.ts";
import { reactor } from "../../../src/net/reactor-loop.ts";
import { AGAIN } from "../../../src/sys/socket.ts";
import { RawListener, RawPeer } from "../../fake/raw-peer.ts";

const ends: Disposable[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end[Symbol.dispose]();
});

// The last words of a session are held, and find no room when it is gone.
test.each([
  { story: "closed", over: (it: PlainTransport) => it.close() },
  {
    story: "finished",
    over: (it: PlainTransport) => {
      it.finish();
      it.interest(true, false);
    },
  },
])("all is sent before a connection is $story, however full its socket", async ({ over }) => {
  using listener = new RawListener();
  const peer = await RawPeer.to(listener.port);
  const { fd } = await listener.accept();
  ends.push(peer);

  const filling = new Uint8Array(new ArrayBuffer(64 * 1024)).fill(1);
  let filled = 0;
  let later = 0;
  const front = { reactor: reactor(), http2: false } as Front;
  const transport = new PlainTransport(front, fd, { address: "::1", port: 1 });
  transport.run({
    feed() {
      if (filled > 0) return;
      for (let n = 0; n !== AGAIN; n = transport.write(filling, 0, filling.length, false))
        filled += n;
      later = transport.write(filling, 0, 100, false);
      over(transport);
    },
    ended: () => transport.close(),
    broken: () => transport.abort(),
    writable() {},
  } as Partial<Session> as Session);
  peer.push(new Uint8Array(1));

  const all = await peer.read();
  expect([later, all.length]).toEqual([100, filled + 100]);
});
