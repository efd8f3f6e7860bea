/** Response heads of HTTP/1.1 (RFC 9112, 4). */

/** Reason phrases (RFC 9110, 15, and the registry); "" for a status that has none. */
const REASONS: Readonly<Record<number, string>> = {
  100: "Continue",
  101: "Switching Protocols",
  102: "Processing",
  103: "Early Hints",
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  207: "Multi-Status",
  208: "Already Reported",
  226: "IM Used",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  305: "Use Proxy",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  423: "Locked",
  424: "Failed Dependency",
  425: "Too Early",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  506: "Variant Also Negotiates",
  507: "Insufficient Storage",
  508: "Loop Detected",
  511: "Network Authentication Required",
};

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const PLAIN = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The phrase for a status; "" when it has none. */
export function reasonOf(status: number): string {
  return REASONS[status] ?? "";
}

const lines: (Uint8Array | undefined)[] = [];

/** `HTTP/1.1 200 OK` CRLF, made once for each status. */
export function statusLine(status: number): Uint8Array {
  return (lines[status] ??= Buffer.from(`HTTP/1.1 ${status} ${reasonOf(status)}\r\n`, "latin1"));
}

/**
 * A status line, fields and the empty line, as Latin-1. A field that could not be read back as what
 * it is gets left out: a stranger's text must not split a response.
 */
export function emitResponseHead(
  status: number,
  fields: readonly (readonly [name: string, value: string])[],
): Uint8Array {
  let text = `HTTP/1.1 ${status} ${reasonOf(status)}\r\n`;
  for (const [name, value] of fields) if (isSendable(name, value)) text += `${name}: ${value}\r\n`;
  return Buffer.from(`${text}\r\n`, "latin1");
}

/**
 * Can this field be sent without becoming another one, or none? Not with a name that is no token,
 * nor with CR, LF, NUL, another control or a character beyond Latin-1 in its value: the low byte
 * of U+010D is CR, and that is what would be sent.
 */
export function isSendable(name: string, value: string): boolean {
  return TOKEN.test(name) && PLAIN.test(value);
}
