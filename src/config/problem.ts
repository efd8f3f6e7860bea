/** One thing wrong with a config, where it stands. Lines and columns count from 1. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `web.site.listen[0]`; "" for the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** The line of the file and a caret under the place, indented by two; secrets are masked. */
  readonly excerpt: string;
}

/** The config cannot be used. The message has every problem with its excerpt. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map((problem) => showProblem(problem)).join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

const BOLD = "\x1b[1m";
const RED = "\x1b[31m";
const DIM = "\x1b[2m";
const PLAIN = "\x1b[0m";

/** `tern.yaml:6:5: servers[0]: unknown key "wieght"`, and the line it is on with a caret. */
export function showProblem(problem: Problem, { color = false }: { color?: boolean } = {}): string {
  const { file, line, column, path, message, excerpt } = problem;
  const paint = (code: string, text: string): string => (color ? `${code}${text}${PLAIN}` : text);
  const place = paint(BOLD, `${file}:${line}:${column}:`);
  const what = path === "" ? message : `${path}: ${message}`;
  const head = `${place} ${paint(RED, what)}`;
  return excerpt === "" ? head : `${head}\n${paint(DIM, excerpt)}`;
}
