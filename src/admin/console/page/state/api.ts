/** An answer of the API that is not what was asked for, in its own words. */
export class Refused extends Error {
  /** HTTP status; 0 when nothing answered. */
  readonly status: number;
  /** For programs: "readonly", "bad_config", … */
  readonly code: string;
  readonly problems: readonly unknown[];

  constructor(status: number, code: string, message: string, problems: readonly unknown[] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.problems = problems;
  }
}

type Method = "GET" | "POST" | "PUT" | "DELETE";

/** The admin API, as the page of a logged-in user sees it. The session itself is a cookie. */
export class Api {
  /** Goes with every change; known after a login. */
  csrf = "";
  /** The session is over, or there was none. */
  onStranger: () => void = () => {};

  get<T>(path: string): Promise<T> {
    return this.send<T>("GET", path);
  }

  /** Resolves with the answer, JSON or text. Rejects with Refused. */
  async send<T>(method: Method, path: string, body?: unknown): Promise<T> {
    const response = await this.open(path, {
      method,
      headers: {
        ...(this.csrf && { "X-CSRF-Token": this.csrf }),
        ...(body !== undefined && { "Content-Type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (response.status === 204) return undefined as T;
    const json = response.headers.get("content-type")?.includes("json");
    return (await (json ? response.json() : response.text())) as T; // what the route says it answers
  }

  /** As fetch, but what is not 2xx is an error. */
  async open(path: string, init: RequestInit): Promise<Response> {
    const response = await fetch(`/api/v1/${path}`, { ...init, credentials: "same-origin" }).catch(
      (error: unknown) => {
        if (init.signal?.aborted) throw error;
        throw new Refused(0, "no_answer", "the server does not answer");
      },
    );
    if (response.ok) return response;
    const refused = await reason(response);
    if (refused.code === "unauthenticated") this.onStranger();
    throw refused;
  }

  /** Ask an action or a change of a service. */
  ask<T>(kind: "actions" | "changes", service: string, name: string, input: unknown): Promise<T> {
    const [of, what] = [encodeURIComponent(service), encodeURIComponent(name)];
    return this.send<T>("POST", `services/${of}/${kind}/${what}`, input);
  }
}

async function reason(response: Response): Promise<Refused> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const { error = "failed", message = `status ${response.status}`, problems = [] } = body;
  return new Refused(
    response.status,
    String(error),
    String(message),
    Array.isArray(problems) ? problems : [],
  );
}
