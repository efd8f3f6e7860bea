import type { Attribute, Element } from "./elements.ts";
import type { Report } from "./report.ts";

/** An attribute; one that is not there is empty, as pythondirector has it, and stands at its element. */
export function attribute(element: Element, name: string): Attribute {
  return element.attributes.get(name) ?? { value: "", at: element.at };
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const NAME = /^[^\u0000-\u001f\u007f]{0,100}$/;

/** An element's name, "" when it has none; one that the new config cannot have is a problem. */
export function nameOf(element: Element, path: string, report: Report): string {
  const { value, at } = attribute(element, "name");
  if (!NAME.test(value))
    report.problem(at, path, "a name has at most 100 characters, and no control characters");
  return value;
}

/** Note what pythondirector does not look at: other attributes, and text. */
export function onlyAttributes(element: Element, names: readonly string[], report: Report): void {
  for (const [name, { at }] of element.attributes)
    if (!names.includes(name) && !name.startsWith("xml"))
      report.note(at, `${name} means nothing on <${element.name}>: left out`);
  if (element.textAt !== undefined)
    report.note(element.textAt, `text in <${element.name}> means nothing: left out`);
}

/** The same of one that has no children there. */
export function leaf(element: Element, names: readonly string[], report: Report): void {
  onlyAttributes(element, names, report);
  for (const child of element.children)
    report.note(child.at, `<${child.name}> in <${element.name}> means nothing: left out`);
}

/** Keep `value` under its name; one of the same name before it is overwritten, as pythondirector does. */
export function lastOfEach<T extends { readonly at: number }>(
  all: Map<string, T>,
  name: string,
  value: T,
  what: string,
  report: Report,
): void {
  const before = all.get(name);
  if (before && name !== "")
    report.note(before.at, `${what} ${name} is given again further down: left out`);
  all.delete(name);
  all.set(name === "" ? ` ${all.size}` : name, value); // the nameless are a problem each
}

/** The same under its new name (see `newNames`), with a note when that is another. */
export function renamed<T extends { readonly name: string }>(
  one: T,
  names: ReadonlyMap<string, string>,
  at: number,
  what: string,
  report: Report,
): T {
  const name = names.get(one.name) ?? one.name;
  if (name === one.name || one.name === "") return one;
  report.note(at, `${what} ${JSON.stringify(one.name)} is named ${name} here`);
  return { ...one, name };
}
