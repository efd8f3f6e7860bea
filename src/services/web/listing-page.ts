import { humanBytes } from "../../core/human-bytes.ts";
import type { Column, Order } from "./listing.ts";
import type { Entry } from "./origin.ts";
import { encodePath } from "./redirects.ts";

const HEADINGS: Readonly<Record<Column, string>> = { name: "Name", size: "Size", time: "Changed" };

const LAST = Date.UTC(9999, 11, 31, 23, 59, 59);

/** The page for the directory at `path` (decoded, ends in "/"). */
export function listingPage(path: string, entries: readonly Entry[], order: Order): string {
  const title = escapeHtml(path);
  const up = path === "/" ? "" : row("../", "..", "", "", undefined);
  const rows = entries.map(({ directory, mtimeMs, name, size }) => {
    const slash = directory ? "/" : "";
    // "./" before it: a name such as "a:b" would be read as a scheme.
    const href = `./${encodePath(name)}${slash}`;
    return row(href, name + slash, directory ? "" : humanBytes(size), showTime(mtimeMs), mtimeMs);
  });
  const headings = (["name", "size", "time"] as const).map((column) => heading(column, order));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${CSS}</style>
</head>
<body>
<main>
<nav aria-label="Path"><h1>${crumbs(path)}</h1></nav>
<table>
<thead><tr>${headings.join("")}</tr></thead>
<tbody>
${up}${rows.join("")}</tbody>
</table>
<p>${count(entries)}</p>
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** Every part of the path leads to its own directory. */
function crumbs(path: string): string {
  const parts = path.split("/").slice(1, -1);
  const links = parts.map((part, i) => {
    const href = `${"../".repeat(parts.length - 1 - i)}./`;
    const here = i === parts.length - 1 ? ' aria-current="page"' : "";
    return `<a href="${href}"${here}>${escapeHtml(part)}</a>/`;
  });
  const home = parts.length === 0 ? ' aria-current="page"' : "";
  return `<a href="${"../".repeat(parts.length)}./"${home} aria-label="root">/</a>${links.join("")}`;
}

function heading(column: Column, { by, down }: Order): string {
  const sorted = column === by;
  const next = sorted && !down ? "desc" : "asc";
  const state = sorted ? ` aria-sort="${down ? "descending" : "ascending"}"` : "";
  const arrow = sorted ? `<span aria-hidden="true"> ${down ? "↓" : "↑"}</span>` : "";
  const href = `?sort=${column}&amp;order=${next}`;
  return `<th scope="col" class="${column}"${state}><a href="${href}">${HEADINGS[column]}${arrow}</a></th>`;
}

function row(
  href: string,
  name: string,
  size: string,
  time: string,
  ms: number | undefined,
): string {
  const when = ms === undefined ? "" : `<time datetime="${isoTime(ms)}">${time}</time>`;
  return `<tr><td class="name"><a href="${escapeHtml(href)}">${escapeHtml(name)}</a></td><td class="size">${size}</td><td class="time">${when}</td></tr>\n`;
}

function count(entries: readonly Entry[]): string {
  const directories = entries.filter((entry) => entry.directory).length;
  const files = entries.length - directories;
  const bytes = entries.reduce((sum, entry) => sum + (entry.directory ? 0 : entry.size), 0);
  const plural = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;
  return `${plural(directories, "directory", "directories")}, ${plural(files, "file", "files")}, ${humanBytes(bytes)}`;
}

/** ISO 8601, UTC; the nearest that can be written for what a broken file system reports. */
export function isoTime(ms: number): string {
  return new Date(Math.min(Math.max(ms, 0), LAST)).toISOString();
}

/** "2026-10-04 09:30" */
function showTime(ms: number): string {
  return isoTime(ms).slice(0, 16).replace("T", " ");
}

const CSS = `
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.25rem; font-weight: 600; overflow-wrap: anywhere; }
h1 a { text-decoration: none; } h1 a:hover { text-decoration: underline; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: 0.3rem 0.75rem; text-align: left; border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
th a { color: inherit; text-decoration: none; } th a:hover { text-decoration: underline; }
td.name { overflow-wrap: anywhere; }
.size, .time { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
tbody tr:hover { background: color-mix(in srgb, currentColor 6%, transparent); }
p { opacity: 0.7; font-size: 0.9rem; }
@media (max-width: 36rem) { .time { display: none; } }
`;
