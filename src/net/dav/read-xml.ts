/** XML bodies of requests. */
import { parseXml, type XmlElement } from "../../wire/dav/xml.ts";
import type { HttpRequest, HttpResponse } from "../../wire/http/message.ts";
import { plain } from "./answers.ts";

/** Far more than any client sends; what comes in is held in memory. */
export const MAX_XML = 1024 * 1024;

export type XmlBody =
  | { readonly kind: "empty" }
  | { readonly kind: "xml"; readonly root: XmlElement }
  | { readonly kind: "refused"; readonly answer: HttpResponse };

/** Read the whole body. */
export async function readXml(request: HttpRequest): Promise<XmlBody> {
  const bytes = await collect(request);
  if (bytes === "too large")
    return refused({ ...plain(413, "The body is larger than any XML here."), close: true });
  if (bytes === "broken") return refused(plain(400, "The body ended early."));
  if (bytes.length === 0) return { kind: "empty" };
  const root = parseXml(bytes);
  return root ? { kind: "xml", root } : refused(plain(400, "The body is not well-formed XML."));
}

function refused(answer: HttpResponse): XmlBody {
  return { kind: "refused", answer };
}

async function collect(request: HttpRequest): Promise<Uint8Array | "too large" | "broken"> {
  if ((request.contentLength ?? 0) > MAX_XML) return "too large";
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of request.body ?? []) {
      length += chunk.length;
      if (length > MAX_XML) return "too large";
      chunks.push(chunk);
    }
  } catch {
    return "broken"; // the client is gone
  }
  return Buffer.concat(chunks, length);
}
