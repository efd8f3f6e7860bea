/** Body of PROPPATCH (RFC 4918, 9.2 and 14.19). */
import { DAV, type PropertyName } from "./property-name.ts";
import { elements, emitXml, is, type XmlElement } from "./xml.ts";

/** `value` is the whole property element as XML that means the same anywhere; undefined removes it. */
export interface PropertyChange extends PropertyName {
  readonly value: string | undefined;
}

/** Changes in the order they are to be done. Undefined when it is no propertyupdate: answer 400. */
export function parsePropertyUpdate(root: XmlElement): readonly PropertyChange[] | undefined {
  if (!is(root, DAV, "propertyupdate")) return undefined;
  const changes: PropertyChange[] = [];
  for (const step of elements(root)) {
    const set = is(step, DAV, "set");
    if (!set && !is(step, DAV, "remove")) continue; // unknown elements are passed over (17)
    const props = elements(step).filter((e) => is(e, DAV, "prop"));
    if (props.length !== 1) return undefined;
    for (const e of props.flatMap(elements))
      changes.push({ ns: e.ns, name: e.name, value: set ? emitXml(e) : undefined });
  }
  return changes.length === 0 ? undefined : changes;
}
