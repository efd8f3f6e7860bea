import { plain, xml } from "../../../net/dav/answers.ts";
import { readXml } from "../../../net/dav/read-xml.ts";
/** PROPPATCH (RFC 4918, 9.2): all changes or none. */
import { href } from "../../../wire/dav/href.ts";
import {
  emptyProp,
  MULTISTATUS_CLOSE,
  MULTISTATUS_OPEN,
  propResponse,
} from "../../../wire/dav/multistatus.ts";
import { parsePropertyUpdate, type PropertyChange } from "../../../wire/dav/property-update.ts";
import type { HttpRequest, HttpResponse } from "../../../wire/http/message.ts";
import type { Caller, DavContext } from "./context.ts";
import { guard } from "./guard.ts";
import { isProtected } from "./live-properties.ts";
import { existing, isAnswer } from "./place.ts";
import type { Resource } from "./resource.ts";

export async function proppatch(
  dav: DavContext,
  request: HttpRequest,
  caller: Caller,
): Promise<HttpResponse> {
  const body = await readXml(request);
  if (body.kind === "refused") return body.answer;
  const changes = body.kind === "xml" ? parsePropertyUpdate(body.root) : undefined;
  if (!changes) return plain(400, "The body is no propertyupdate.");
  const store = dav.store();
  return await store.exclusively(() => {
    const resource = existing(dav, request.path);
    if (isAnswer(resource)) return resource;
    const refused = guard(dav, request, caller, resource, [{ key: resource.key, reach: "itself" }]);
    if (refused) return refused;
    if (changes.some(isProtected)) return denied(resource, changes);
    for (const change of changes) {
      const { ns, name, value } = change;
      if (value === undefined) store.properties.unset(resource.key, change);
      else store.properties.set(resource.key, { ns, name, value });
    }
    return answer(resource, [{ status: 200, props: changes.map(emptyProp) }]);
  });
}

/** One change that cannot be made undoes them all: 424 says of the others that it is not their fault. */
function denied(resource: Resource, changes: readonly PropertyChange[]): HttpResponse {
  const [bad, others] = [changes.filter(isProtected), changes.filter((c) => !isProtected(c))];
  return answer(resource, [
    { status: 403, props: bad.map(emptyProp), error: "cannot-modify-protected-property" },
    { status: 424, props: others.map(emptyProp) },
  ]);
}

function answer(
  { path, kind }: Resource,
  groups: Parameters<typeof propResponse>[1],
): HttpResponse {
  const response = propResponse(href(path, kind === "collection"), groups);
  return xml(207, MULTISTATUS_OPEN + response + MULTISTATUS_CLOSE);
}
