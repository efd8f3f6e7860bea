/** Body of LOCK (RFC 4918, 9.10 and 14.11). */
import { DAV } from "./property-name.ts";
import { elements, emitXml, is, type XmlElement } from "./xml.ts";

export interface LockInfo {
  readonly scope: "exclusive" | "shared";
  /** The whole D:owner element as XML that means the same anywhere; "" when not given. */
  readonly owner: string;
}

/** Undefined when it is no lockinfo, or asks for another than a write lock. */
export function parseLockInfo(root: XmlElement): LockInfo | undefined {
  if (!is(root, DAV, "lockinfo")) return undefined;
  const inside = (name: string): XmlElement | undefined =>
    elements(root).find((e) => is(e, DAV, name));
  const [scope, type, owner] = [inside("lockscope"), inside("locktype"), inside("owner")];
  if (!type || !elements(type).some((e) => is(e, DAV, "write"))) return undefined;
  const scopes = scope
    ? elements(scope)
        .filter((e) => e.ns === DAV)
        .map((e) => e.name)
    : [];
  const [only] = scopes;
  if (scopes.length !== 1 || (only !== "exclusive" && only !== "shared")) return undefined;
  return { scope: only, owner: owner ? emitXml(owner) : "" };
}
