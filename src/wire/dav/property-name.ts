/** Names of WebDAV properties: an XML name in a namespace. */
export interface PropertyName {
  readonly ns: string;
  readonly name: string;
}

/** Namespace of everything RFC 4918 defines. */
export const DAV = "DAV:";

/** One string per name, for maps: Clark notation. */
export function clark(property: PropertyName): string {
  return `{${property.ns}}${property.name}`;
}
