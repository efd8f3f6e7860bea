/** A process beside the test's own: `bun child.ts put|lock ROOT STATE`. */
import { silent } from "../../../../src/observe/log.ts";
import { makeDav } from "../../../../src/services/web/dav/dav.ts";
import { Tree } from "../../../../src/services/web/tree.ts";
import { requestOf, ROUNDS, SIZE, streamOf, WRITER } from "./fixture.ts";

const [task, root = "", state = ""] = process.argv.slice(2);
const dav = makeDav(
  { enabled: true, writers: [], locks: true, max_body: 2 ** 30 },
  new Tree(root, { dotfiles: "hide", symlinks: "beneath" }),
  {
    log: silent,
    state,
    now: Date.now,
    contentType: () => "text/plain",
    onChange: () => {},
    sweep: false,
  },
);

async function ask(request: Parameters<typeof requestOf>[0]): Promise<number> {
  return (await dav.handle(requestOf(request), WRITER))?.status ?? 0;
}

if (task === "put") {
  // Whole files of one letter each, until somebody kills this.
  for (let i = 0; ; i++) {
    const letter = String.fromCharCode(97 + (i % 26));
    const body = streamOf([letter.repeat(SIZE / 3), letter.repeat((SIZE / 3) * 2)]);
    await ask({
      method: "PUT",
      path: "/f",
      body,
      contentLength: SIZE,
    });
    if (i === 0) process.stdout.write("writing\n");
  }
}
if (task === "lock") {
  const body =
    '<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>';
  const statuses: number[] = [];
  for (let i = 0; i < ROUNDS; i++)
    statuses.push(await ask({ method: "LOCK", path: `/f${i}`, body }));
  process.stdout.write(JSON.stringify(statuses));
  dav.stop();
}
