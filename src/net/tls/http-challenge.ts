import { type HttpHandler, respond } from "../../wire/http/message.ts";
import type { Certificates } from "../certificates.ts";

/** RFC 8555, 8.3. */
const PREFIX = "/.well-known/acme-challenge/";

/** A site's handler that answers a CA's questions first, whatever the site would redirect or guard. */
export function withChallenges(handler: HttpHandler, certificates: Certificates): HttpHandler {
  return (request) => {
    const answer = request.path.startsWith(PREFIX)
      ? certificates.keyAuthorization(request.path.slice(PREFIX.length))
      : undefined;
    return answer === undefined ? handler(request) : respond(200, [], answer);
  };
}
