import { ConfigError, type Problem } from "../config/problem.ts";
import { Source } from "../config/source.ts";
import { CertificateError } from "../net/tls/certificate.ts";
import type { ConfigText } from "./config-text.ts";
import { explainError } from "./failure.ts";

/**
 * Why a config cannot be put in force, each reason where it stands in the file. What a service
 * finds only when it prepares names the key itself: `web.site.root: ./www is no directory`.
 * `source` is undefined when the file could not even be read; then the place is its beginning.
 */
export function problemsOf(
  error: unknown,
  file: string,
  source: Pick<ConfigText, "text" | "file"> | undefined,
): readonly Problem[] {
  if (error instanceof ConfigError) return error.problems;
  const message = explainError(error);
  const found = source && placed(error, message, new Source(source.text, source.file));
  return [found ?? { file, line: 1, column: 1, path: "", message, excerpt: "" }];
}

function placed(error: unknown, message: string, source: Source): Problem | undefined {
  if (error instanceof CertificateError) return source.problem(["tls"], "key", message);
  const [, path, rest] = /^([a-z_]+(?:\.[^\s.:]+)*): (.+)$/s.exec(message) ?? [];
  if (path === undefined || rest === undefined) return undefined;
  const keys = path.split(".");
  const isKey = keys[0] !== undefined && source.document.has(keys[0]);
  return isKey ? source.problem(keys, "value", rest) : undefined;
}
