import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** Names that clients and servers tend to get wrong, and files of all sizes. */
export async function sampleTree(at: string): Promise<string> {
  const files: Readonly<Record<string, Uint8Array | string>> = {
    "a.bin": crypto.getRandomValues(new Uint8Array(60_000)),
    large: Buffer.alloc(12 * 2 ** 20, crypto.getRandomValues(new Uint8Array(65_521))),
    empty: "",
    "sub/deep/z": "z",
    "sub/ö ü+&%25 'x'.txt": "names",
    "[br]{a}/#hash?q=1;x=(2)!*.txt": "brackets",
    sub0: "behind sub/ in one order, before it in another",
    "sub!": "and the other way round",
    "日本/🐧": "wide",
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(at, name);
    mkdirSync(join(path, ".."), { recursive: true });
    await Bun.write(path, content);
  }
  return at;
}
