/** Answers that several methods give. */
import {
  errorBody,
  MULTISTATUS_CLOSE,
  MULTISTATUS_OPEN,
  statusResponse,
  XML_TYPE,
} from "../../wire/dav/multistatus.ts";
import { type HttpResponse, respond } from "../../wire/http/message.ts";

/** Says which condition of RFC 4918, 16 failed, in words for programs. */
export function refuse(
  status: number,
  condition: string,
  hrefs: readonly string[] = [],
): HttpResponse {
  return xml(status, errorBody(condition, hrefs));
}

/** A whole XML document. */
export function xml(
  status: number,
  text: string,
  headers: HttpResponse["headers"] = [],
): HttpResponse {
  const bytes = new TextEncoder().encode(text);
  return {
    status,
    headers: [["Content-Type", XML_TYPE], ["Cache-Control", "no-store"], ...headers],
    body: { kind: "pieces", pieces: [bytes] },
  };
}

/** What became of single members. */
export interface MemberStatus {
  /** Escaped. */
  readonly href: string;
  readonly status: number;
  /** XML of condition elements. */
  readonly error?: string;
}

/** 207 with what became of each. */
export function multistatus(members: readonly MemberStatus[]): HttpResponse {
  const responses = members.map((m) => statusResponse(m.href, m.status, m.error));
  return xml(207, MULTISTATUS_OPEN + responses.join("") + MULTISTATUS_CLOSE);
}

/** A refusal in words for people. */
export function plain(
  status: number,
  text: string,
  headers: HttpResponse["headers"] = [],
): HttpResponse {
  return respond(status, headers, `${text}\n`);
}
