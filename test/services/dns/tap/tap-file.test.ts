/** A file of frames on a disk that is full for a while. */
import { expect } from "bun:test";
import { readdirSync, readFileSync, rmSync } from "node:fs";

import { TapFile } from "../../../../src/services/dns/tap/tap-file.ts";
import { START, STOP } from "../../../../src/wire/dns/frame-streams.ts";
import { smallDisk } from "../../../fake/small-disk.ts";
import { temporary } from "../../../fake/temporary.ts";
import { asRoot } from "../../../sys/needs.ts";

const DISK = 64 * 1024;
/** No page of the disk ends where one of these does. */
const FRAME = new Uint8Array(3000).fill(7);
new DataView(FRAME.buffer).setUint32(0, FRAME.length - 4);

for (const { story, filler } of [
  { story: "in the midst of a frame", filler: DISK / 2 },
  { story: "before the first one", filler: DISK },
])
  asRoot(`a disk that is full ${story}: what was told stays, and all is whole`, async () => {
    await using dir = await temporary();
    using _ = smallDisk(`${dir.path}/disk`, DISK);
    const path = `${dir.path}/disk/dns.tap`;
    await Bun.write(`${dir.path}/disk/filler`, new Uint8Array(filler));
    const heard = { dropped: 0, trouble: 0 };
    const file = new TapFile({
      path,
      rotate: 0,
      keep: 2,
      wall: Date.now,
      dropped: (frames) => void (heard.dropped += frames),
      trouble: () => void heard.trouble++,
    });
    const fds = readdirSync("/proc/self/fd").length;
    let sent = 0;
    while (heard.dropped < 10 && sent < 100) {
      file.send(FRAME, 1);
      sent++;
    }
    expect(heard).toEqual({ dropped: 10, trouble: 1 });
    expect(readdirSync(`${dir.path}/disk`).sort()).toEqual(["dns.tap", "filler"]);
    expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(fds + 1);

    rmSync(`${dir.path}/disk/filler`);
    file.send(FRAME, 1);
    await file.close();
    const whole = Array.from({ length: sent + 1 - heard.dropped }, () => FRAME);
    expect(readFileSync(path).equals(Buffer.concat([START, ...whole, STOP]))).toBe(true);
    expect(readdirSync(`${dir.path}/disk`)).toEqual(["dns.tap"]);
  });
