import { fail, type Route } from "./route.ts";
import { check } from "./run-action.ts";

/** Bytes of a request body: actions and logins are small. */
export const MAX_BODY = 64 * 1024;

const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";

/** What the body says, or the answer for one that cannot be used. */
export type Sent = {
  /** It came from an HTML form. */
  readonly byForm: boolean;
  /** The token a form carries in place of X-CSRF-Token. */
  readonly csrf: string | undefined;
} & ({ readonly input: unknown } | { readonly bad: Response });

/** Read the body that `route` takes; a route that takes none does not look at it. */
export async function body(request: Request, route: Route): Promise<Sent> {
  const type = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  const byForm = type === FORM && route.byForm === true;
  const nothing = { byForm, csrf: undefined };
  if (!route.input) return { ...nothing, input: undefined };

  const text = await read(request);
  if (text === undefined) {
    return { ...nothing, bad: fail(413, "too_large", `at most ${MAX_BODY} bytes`) };
  }
  if (text !== "" && !byForm && type !== JSON_TYPE) {
    return { ...nothing, bad: fail(415, "not_json", `send ${JSON_TYPE}`) };
  }
  const said = byForm ? Object.fromEntries(new URLSearchParams(text)) : parse(text);
  if (typeof said !== "object" || said === null || Array.isArray(said)) {
    return { ...nothing, bad: fail(400, "bad_json", "send a JSON object") };
  }
  const csrf = byForm ? (said as { csrf?: string }).csrf : undefined;
  const checked = check(route.input, said);
  if (checked.kind === "fits") return { byForm, csrf, input: checked.value };
  const { problems } = checked;
  return { byForm, csrf, bad: fail(400, "bad_input", "the input does not fit", { problems }) };
}

/** No body means no wishes: an empty object. */
function parse(text: string): unknown {
  try {
    return text === "" ? {} : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

/** Undefined when there is too much of it; what its length says is believed only when it is too much. */
async function read(request: Request): Promise<string | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > MAX_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
