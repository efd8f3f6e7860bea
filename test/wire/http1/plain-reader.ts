/**
 * A request head read the slow and obvious way: split into lines, one pattern for each rule of
 * RFC 9112, our stricter choices included. Undefined for whatever is refused or not whole.
 */
export function plainReader(text: string) {
  const from = text.startsWith("\r\n") ? 2 : 0;
  const blank = text.indexOf("\r\n\r\n", from);
  if (blank < 0) return undefined;
  const end = blank + 4;
  const [first = "", ...lines] = text.slice(from, blank).split("\r\n");

  const start = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-"$-~]+) HTTP\/1\.([0-9])$/.exec(first);
  if (!start) return undefined;
  const [, method = "", target = "", version] = start;
  const minor = version === "0" ? 0 : 1;

  const fields: [string, string][] = [];
  for (const line of lines) {
    const field = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/.exec(line);
    if (!field) return undefined;
    fields.push([(field[1] ?? "").toLowerCase(), stripped(field[2] ?? "")]);
  }
  const all = (name: string) => fields.filter(([n]) => n === name).map(([, value]) => value);

  const body = framing(all("content-length"), all("transfer-encoding"), minor);
  const place = where(method, target, all("host"), minor);
  if (body === undefined || place === undefined) return undefined;

  const [expect] = all("expect");
  if (expect !== undefined && expect.toLowerCase() !== "100-continue") return undefined;
  const options = all("connection").flatMap((v) =>
    v.split(",").map((o) => stripped(o).toLowerCase()),
  );
  return {
    end,
    method,
    target,
    ...place,
    fields,
    minor,
    ...body,
    keepAlive: !options.includes("close") && (minor === 1 || options.includes("keep-alive")),
    expectContinue: expect !== undefined && minor === 1,
    upgrade: options.includes("upgrade") && all("upgrade").length > 0,
  };
}

/** RFC 9112, 6.3; one length or one coding, and no other coding than chunked. */
function framing(lengths: string[], codings: string[], minor: number) {
  if (lengths.length + codings.length > 1) return undefined;
  const [length] = lengths;
  const [coding] = codings;
  if (coding !== undefined) {
    if (minor === 0 || coding.toLowerCase() !== "chunked") return undefined;
    return { contentLength: -1, chunked: true };
  }
  if (length === undefined) return { contentLength: 0, chunked: false };
  return /^(0|[1-9]\d{0,14})$/.test(length)
    ? { contentLength: Number(length), chunked: false }
    : undefined;
}

/** RFC 9112, 3.2 and 3.3. */
function where(method: string, target: string, hosts: string[], minor: number) {
  if (hosts.length > 1 || (hosts.length === 0 && minor === 1)) return undefined;
  const [field = ""] = hosts;
  const named = field === "" ? "" : hostOf(field);
  if (named === undefined) return undefined;
  if (method.toUpperCase() === "CONNECT") {
    const host = /:\d+$/.test(target) ? hostOf(target) : undefined;
    return host === undefined ? undefined : { form: "authority", path: "", host };
  }
  if (target.startsWith("/")) return { form: "origin", path: target, host: named };
  if (target === "*")
    return method.toUpperCase() === "OPTIONS"
      ? { form: "asterisk", path: "", host: named }
      : undefined;
  const absolute = /^https?:\/\/([^/?]+)(.*)$/i.exec(target);
  const host = hostOf(absolute?.[1] ?? "");
  return host === undefined ? undefined : { form: "absolute", path: absolute?.[2] ?? "", host };
}

function hostOf(authority: string): string | undefined {
  const parts = /^([\w\-.~!$&'()*+,;=%]+|\[[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*\])(?::(\d{0,5}))?$/.exec(
    authority,
  );
  if (!parts || Number(parts[2] ?? 0) > 65_535) return undefined;
  const host = parts[1] ?? "";
  return host.length > 1 ? host.replace(/\.$/, "") : host;
}

/** Without white space around it: only blanks and tabs are any (RFC 9110, 5.6.3), not all that `trim` takes. */
function stripped(text: string): string {
  return text.replace(/^[\t ]+|[\t ]+$/g, "");
}
