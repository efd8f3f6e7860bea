import { EXIT, Exit } from "./exit.ts";
import { socketPath, type Where } from "./socket-path.ts";

/** Nobody is on the other side of the socket. */
const ABSENT: readonly string[] = [
  "ENOENT",
  "ECONNREFUSED",
  "FailedToOpenSocket",
  "ConnectionRefused",
];

/** An answer of the admin API. */
export interface Answer {
  readonly status: number;
  readonly ok: boolean;
  readonly text: string;
  /** Undefined when it is not JSON. */
  readonly json: unknown;
}

/** Ask the running tern over its unix socket. Throws Exit when there is none. */
export async function ask(
  where: Where,
  method: "GET" | "POST",
  path: string,
  body?: unknown,
): Promise<Answer> {
  const socket = socketPath(where);
  let response: Response;
  try {
    response = await fetch(`http://localhost${path}`, {
      method,
      unix: socket,
      headers: {
        ...(body !== undefined && { "Content-Type": "application/json" }),
        ...(OPERATOR.test(operator()) && { "X-Operator": operator() }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch (error) {
    const { code = "", message } = error as { code?: string; message: string };
    if (code === "EACCES" || /permission/i.test(message))
      throw new Exit(
        EXIT.failed,
        `${socket}: permission denied; ask as the user that tern runs as`,
      );
    if (ABSENT.includes(code))
      throw new Exit(EXIT.notRunning, `tern is not running: nobody answers on ${socket}`);
    throw new Exit(EXIT.failed, `${socket}: ${message}`);
  }
  const text = await response.text();
  return { status: response.status, ok: response.ok, text, json: parsed(text) };
}

const OPERATOR = /^[\w.@-]{1,64}$/;

/** Who sits here, for the history of changes: behind sudo the one who called it. */
function operator(): string {
  const { SUDO_USER, USER, LOGNAME } = process.env;
  const uid = process.getuid?.();
  return SUDO_USER ?? USER ?? LOGNAME ?? (uid === 0 ? "root" : `uid-${uid}`);
}

/** What went wrong, in the words of the API. */
export function reason({ json, status }: Answer): string {
  const { message, error } = (json ?? {}) as { message?: unknown; error?: { message?: unknown } };
  const words = message ?? error?.message;
  return typeof words === "string" ? words : `the admin API answered ${status}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
