/**
 * What the service keeps in the state directory:
 *
 *     web/dav.sqlite           locks and properties, of all sites: they go by file, and sites may
 *                              share files
 *     web/encoded/site-NAME/   compressed files of one site
 */
import { randomUUID } from "node:crypto";
import { readdirSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

/** Directory of the WebDAV store. */
export function davIn(state: string): string {
  return join(state, "web");
}

/** Directory of a site's compressed files. */
export function encodedIn(state: string, site: string): string {
  return join(state, "web", "encoded", nameOf(site));
}

/**
 * Remove the compressed files of sites that are no more. They are out of the way when this
 * returns, so that a site of that name may come back at any moment; the promise is for the rest.
 */
export async function removeOthers(state: string, sites: readonly string[]): Promise<void> {
  const directory = join(state, "web", "encoded");
  const kept = new Set(sites.map(nameOf));
  const gone: string[] = [];
  for (const name of entriesOf(directory)) {
    if (kept.has(name)) continue;
    const away = join(directory, `gone-${randomUUID()}`);
    renameSync(join(directory, name), away);
    gone.push(away);
  }
  await Promise.all(gone.map((path) => rm(path, { recursive: true, force: true })));
}

/** With a prefix, since a site may be called "..". */
function nameOf(site: string): string {
  return `site-${encodeURIComponent(site)}`;
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // no site has kept anything yet
  }
}
