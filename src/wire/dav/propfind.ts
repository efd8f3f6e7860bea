/** Body of PROPFIND (RFC 4918, 9.1 and 14.20). */
import { DAV, type PropertyName } from "./property-name.ts";
import { elements, is, type XmlElement } from "./xml.ts";

export type Propfind =
  | { readonly kind: "allprop"; readonly include: readonly PropertyName[] }
  | { readonly kind: "propname" }
  | { readonly kind: "prop"; readonly names: readonly PropertyName[] };

/** What an empty body asks for. */
export const EVERYTHING: Propfind = { kind: "allprop", include: [] };

/** More names than this in one request only multiply the answer; the body's limit bounds the rest. */
const MAX_NAMES = 1000;

/** Undefined when it is no propfind, or asks two ways at once: answer 400. Unknown elements are passed over (17). */
export function parsePropfind(root: XmlElement): Propfind | undefined {
  if (!is(root, DAV, "propfind")) return undefined;
  const asked = elements(root).filter((e) => e.ns === DAV);
  const of = (name: string) => asked.filter((e) => e.name === name);
  const [all, propname, prop, include] = [of("allprop"), of("propname"), of("prop"), of("include")];
  if (all.length + propname.length + prop.length !== 1 || include.length > 1) return undefined;
  if (include.length > 0 && all.length === 0) return undefined;
  if (propname.length > 0) return { kind: "propname" };
  const names = [...prop, ...include].flatMap(elements).map(({ ns, name }) => ({ ns, name }));
  if (names.length > MAX_NAMES) return undefined;
  return all.length > 0 ? { kind: "allprop", include: names } : { kind: "prop", names };
}
