import { fail, type Route } from "./route.ts";
import { check } from "./run-action.ts";

/** Bytes of a request body: actions and logins are small. */
export const MAX_BODY = 64 * 1024;

const JSON_TYPE = "application/json";

/** What the body says, or the answer for one that cannot be used. */
export type Sent = { readonly input: unknown } | { readonly bad: Response };

/** Read the body that `route` takes; a route that takes none does not look at it. */
export async function body(request: Request, route: Route): Promise<Sent> {
  const type = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (!route.input) return { input: undefined };

  const most = route.maxBody ?? MAX_BODY;
  const text = await read(request, most);
  if (text === undefined) {
    return { bad: fail(413, "too_large", `at most ${most} bytes`) };
  }
  if (text !== "" && type !== JSON_TYPE) {
    return { bad: fail(415, "not_json", `send ${JSON_TYPE}`) };
  }
  const said = parse(text);
  if (typeof said !== "object" || said === null || Array.isArray(said)) {
    return { bad: fail(400, "bad_json", "send a JSON object") };
  }
  const checked = check(route.input, said);
  if (checked.kind === "fits") return { input: checked.value };
  const { problems } = checked;
  return { bad: fail(400, "bad_input", "the input does not fit", { problems }) };
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
async function read(request: Request, most: number): Promise<string | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > most) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
