/** Fields whose strings are never written, whatever holds them. */
const SECRET = /pass(word|wd|phrase)?$|secret|token|authorization|cookie|private_?key|credential/i;
export const MASK = "***";

/** Deeper than this nothing in a log is read. */
const MAX_DEPTH = 6;
const MAX_ITEMS = 100;

/**
 * `value` as JSON can hold it: errors with stack and cause, no cycles, no secrets. Takes anything
 * and never throws. What writes itself (`toJSON`, as `Secret` does) is asked first.
 */
export function plain(value: unknown, name = "", depth = 0): unknown {
  switch (typeof value) {
    case "string":
      return SECRET.test(name) ? MASK : value;
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "boolean":
    case "undefined":
      return value;
    case "bigint":
      return value.toString();
    case "symbol":
      return value.toString();
    case "function":
      return "(function)";
    case "object":
      if (value === null) return null;
      if (depth >= MAX_DEPTH) return "…";
      try {
        return object(value, name, depth);
      } catch {
        return "(unreadable)"; // a getter or toJSON that throws must not cost us the line
      }
  }
}

function object(value: object, name: string, depth: number): unknown {
  if (value instanceof Error) return error(value, depth);
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return plain(value.toJSON(name), name, depth + 1);
  }
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  if (value instanceof Map) return object(Object.fromEntries(value), name, depth);
  const items =
    value instanceof Set ? [...value] : Array.isArray(value) ? (value as unknown[]) : undefined;
  if (items) return items.slice(0, MAX_ITEMS).map((item) => plain(item, name, depth + 1));
  const entries = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner, key, depth + 1)]));
}

/** Name, message, code, stack, then whatever it was caused by. */
function error(failed: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = failed;
  const inner = failed instanceof AggregateError ? failed.errors : undefined;
  return {
    name,
    message,
    ...("code" in failed && { code: plain(failed.code, "code", depth + 1) }),
    ...(stack !== undefined && { stack }),
    ...(cause !== undefined && { cause: plain(cause, "cause", depth + 1) }),
    ...(inner && { errors: plain(inner, "errors", depth + 1) }),
  };
}
