/** One test of a `bun test --reporter=junit` report. */
export interface Case {
  readonly file: string;
  readonly name: string;
  /** "flaky": failed, and passed when its file was run again by itself. */
  readonly outcome: "passed" | "failed" | "skipped" | "flaky";
  /** How long it took; 0 when that is not told. */
  readonly seconds: number;
}

/** The tests of a report; none when it was never written. */
export async function read(path: string): Promise<Case[]> {
  const report = Bun.file(path);
  const text = (await report.exists()) ? await report.text() : "";
  const found: Case[] = [];
  // Either self-closed, which is a pass, or with what happened inside.
  for (const [, attributes, inside] of text.matchAll(
    /<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const value = (name: string): string =>
      plain(new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes ?? "")?.[1] ?? "");
    const outcome = !inside
      ? "passed"
      : /<(failure|error)\b/.test(inside)
        ? "failed"
        : /<skipped\b/.test(inside)
          ? "skipped"
          : "passed";
    const seconds = Number(value("time")) || 0;
    found.push({ file: value("file"), name: value("name"), outcome, seconds });
  }
  return found;
}

const NAMED: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function plain(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => NAMED[name] ?? "");
}
