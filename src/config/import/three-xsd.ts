import { stringify } from "yaml";

import { parseIni } from "./ini.ts";
import { fileStores } from "./three-fsd.ts";
import { dnsServer } from "./three-nsd.ts";
import { oldTunnels } from "./three-wdd.ts";
import { type Site, webSite } from "./three-wsd.ts";
import { proxyServer } from "./three-zsd.ts";

/** Something of the old file that the new one does not say, or says otherwise. */
export interface Note {
  /** Of the old file, from 1. */
  readonly line: number;
  readonly message: string;
}

const CARRIED = ["3wsd", "3nsd", "3zsd", "3fsd", "3wdd"];
const INDENT = "  ";

/**
 * An old 3xsd.conf as YAML that the loader takes, with a note for each line it could not carry.
 * [3wsd] becomes a site of `web:`, [3nsd] a server of `dns:`, [3zsd] a proxy and its pools, [3fsd]
 * stores, [3wdd] tunnels.
 */
export function import3xsd(text: string, file: string): { yaml: string; notes: Note[] } {
  const { settings, sections, strange } = parseIni(text);
  const notes: Note[] = [];
  const note = (line: number, message: string): void => void notes.push({ line, message });

  for (const { line } of strange) note(line, "not an INI line: left out");
  for (const { line, name, section, overruled } of settings)
    if (overruled) note(line, `${name} is set again further down in [${section}]: left out`);
  const of = (section: string) => settings.filter((s) => s.section === section && !s.overruled);

  const parts = [
    `# From ${oneLine(file)}, by \`tern import\`. Check it with \`tern check -c FILE\`.\n`,
  ];
  if (sections.has("3wsd")) parts.push(`web:\n${showSite(webSite(of("3wsd"), note))}`);
  const proxy = sections.has("3zsd") ? proxyServer(of("3zsd"), note) : "";
  if (proxy !== "") parts.push(proxy);
  const stores = sections.has("3fsd") ? fileStores(of("3fsd"), note) : "";
  if (stores !== "") parts.push(stores);
  if (sections.has("3nsd")) parts.push(`dns:\n${dnsServer(of("3nsd"), note)}`);
  const tunnels = sections.has("3wdd") ? oldTunnels(of("3wdd"), note) : "";
  if (tunnels !== "") parts.push(tunnels);
  for (const [section, line] of sections) {
    if (CARRIED.includes(section)) continue;
    note(line, `[${section}] is no section of 3xsd: left out`);
    for (const setting of of(section))
      note(setting.line, `${setting.name}: left out with [${section}]`);
  }
  return { yaml: parts.join("\n"), notes: notes.toSorted((a, b) => a.line - b.line) };
}

function showSite({ values, remarks }: Site): string {
  const lines = [`${INDENT}site:`];
  for (const [key, value] of Object.entries(values)) {
    const remark = remarks[key];
    if (remark !== undefined) lines.push(`${INDENT.repeat(2)}# ${remark}`);
    // Lists and maps on one line, as the examples write them.
    const options = { collectionStyle: "flow", lineWidth: 0 } as const;
    lines.push(`${INDENT.repeat(2)}${key}: ${stringify(value, options).trimEnd()}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Nothing may end the comment that it stands in. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- those are what is meant
  return text.replaceAll(/[\x00-\x1f\x7f\u0085\u2028\u2029\ufeff\ud800-\udfff]+/gu, " ");
}
