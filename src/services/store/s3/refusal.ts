import type { HttpResponse } from "../../../wire/http/message.ts";
import { emitError, S3_ERRORS, type S3ErrorCode } from "../../../wire/s3/error.ts";
import type { Trouble } from "../members/member.ts";

/** Thrown wherever a request turns out to be refused; `answerRefusal` says it to the client. */
export class Refusal extends Error {
  override name = "Refusal";
  readonly code: S3ErrorCode;

  constructor(code: S3ErrorCode) {
    super(code);
    this.code = code;
  }
}

const TROUBLES: Readonly<Record<Trouble, S3ErrorCode>> = {
  away: "ServiceUnavailable",
  failed: "ServiceUnavailable",
  refused: "ServiceUnavailable",
  full: "StorageFull",
  quota: "QuotaExceeded", // as Ceph's gateway has it: nobody tries again in vain
  "too-long": "KeyTooLongError",
  conflict: "InvalidArgument",
};

/** What a member's trouble is called in S3. */
export function refusalOf(trouble: Trouble): Refusal {
  return new Refusal(TROUBLES[trouble]);
}

/** HEAD has no body: `resource` is undefined then. */
export function answerRefusal({ code }: Refusal, resource: string | undefined): HttpResponse {
  const [status, message] = S3_ERRORS[code];
  if (resource === undefined) return { status, headers: [], body: { kind: "none" } };
  return xml(status, emitError(code, message, resource));
}

/** A document as an answer. */
export function xml(
  status: number,
  text: string,
  headers: HttpResponse["headers"] = [],
): HttpResponse {
  return {
    status,
    headers: [["Content-Type", "application/xml"], ...headers],
    body: { kind: "pieces", pieces: [new TextEncoder().encode(text)] },
  };
}
