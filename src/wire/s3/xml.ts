/** XML as S3 says and reads it. Values are text; what is an array is written element by element. */
import { escapeXml } from "../../core/escape-xml.ts";
import { elements, parseXml, textOf, type XmlElement } from "../dav/xml.ts";

const S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

/** What an element holds. Undefined is left out. */
export type Content = string | number | boolean | undefined | Members | readonly Content[];
export interface Members {
  readonly [name: string]: Content;
}

/** A whole document. Errors have no namespace. */
export function emitS3(root: string, content: Members, namespace: string = S3_NAMESPACE): string {
  const space = namespace === "" ? "" : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${space}>${inside(content)}</${root}>`;
}

function inside(content: Members): string {
  return Object.entries(content)
    .map(([name, value]) => element(name, value))
    .join("");
}

function element(name: string, content: Content): string {
  if (content === undefined) return "";
  if (Array.isArray(content)) return content.map((one: Content) => element(name, one)).join("");
  const text =
    typeof content === "object" ? inside(content as Members) : escapeXml(String(content));
  return `<${name}>${text}</${name}>`;
}

/** The elements under the root, when that is of this name. Namespaces are passed over, as S3 does. */
export function parseS3(bytes: Uint8Array, root: string): readonly XmlElement[] | undefined {
  const read = parseXml(bytes);
  return read?.name === root ? elements(read) : undefined;
}

/** The text of the first child of this name; undefined: there is none. */
export function childText(of: readonly XmlElement[], name: string): string | undefined {
  const found = of.find((one) => one.name === name);
  return found && textOf(found);
}

/** The children of every element of this name. */
export function childrenOf(of: readonly XmlElement[], name: string): (readonly XmlElement[])[] {
  return of.filter((one) => one.name === name).map(elements);
}
