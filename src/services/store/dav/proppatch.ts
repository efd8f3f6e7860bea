/** PROPPATCH (RFC 4918, 9.2): all changes or none. */
import { plain, xml } from "../../../net/dav/answers.ts";
import { readXml } from "../../../net/dav/read-xml.ts";
import {
  emptyProp,
  MULTISTATUS_CLOSE,
  MULTISTATUS_OPEN,
  propResponse,
  type Propstat,
} from "../../../wire/dav/multistatus.ts";
import { parsePropertyUpdate } from "../../../wire/dav/property-update.ts";
import type { HttpResponse } from "../../../wire/http/message.ts";
import { type Call, type DavContext, hrefOf } from "./context.ts";
import { guard } from "./guard.ts";
import { isProtected } from "./live-properties.ts";
import { existing, isAnswer } from "./place.ts";

export async function proppatch(dav: DavContext, call: Call): Promise<HttpResponse> {
  const body = await readXml(call.request);
  if (body.kind === "refused") return body.answer;
  const changes = body.kind === "xml" ? parsePropertyUpdate(body.root) : undefined;
  if (!changes) return plain(400, "The body is no propertyupdate.");
  const there = await existing(dav, call);
  if (isAnswer(there)) return there;
  const { path, node } = there;
  const refused = await guard(dav, call, there, [{ key: path, reach: "itself" }]);
  if (refused) return refused;
  const answer = (groups: readonly Propstat[]): HttpResponse => {
    const href = hrefOf(call, path, node.kind === "collection");
    return xml(207, MULTISTATUS_OPEN + propResponse(href, groups) + MULTISTATUS_CLOSE);
  };
  // One change that cannot be made undoes them all: 424 says of the others that it is not their fault.
  const bad = changes.filter(isProtected);
  if (bad.length > 0)
    return answer([
      { status: 403, props: bad.map(emptyProp), error: "cannot-modify-protected-property" },
      { status: 424, props: changes.filter((c) => !isProtected(c)).map(emptyProp) },
    ]);
  const store = dav.store();
  await store.exclusively(() => {
    for (const change of changes) {
      const { ns, name, value } = change;
      if (value === undefined) store.properties.unset(path, change);
      else store.properties.set(path, { ns, name, value });
    }
  });
  return answer([{ status: 200, props: changes.map(emptyProp) }]);
}
