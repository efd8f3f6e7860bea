import { decodeTarget } from "../../wire/http/path.ts";
import { etagOf } from "./answer.ts";
/** Where a name is, and why: what `tern store where` says. */
import { look } from "./copy.ts";
import { type Name, readName } from "./names.ts";
import type { OpenStore } from "./open-store.ts";
import { showStamp, stampOf } from "./record.ts";
import type { Shelf } from "./shelf.ts";

/** One member's part in a name. */
export interface PlaceExplained {
  readonly member: string;
  readonly where: string;
  /** Its number among the copies, from 1; 0: it stands in when a home is away. */
  readonly copy: number;
  /** `kept`, `bare`, `deleted`, `nothing`, or why it cannot be told. */
  readonly has: string;
  readonly version?: string;
  readonly size?: number;
  readonly etag?: string;
}

export interface StageExplained {
  readonly stage: number;
  readonly placement: string;
  /** What was hashed. */
  readonly key: string;
  /** Where the data are on each member, from its root. */
  readonly at: string;
  readonly record: string;
  readonly members: readonly PlaceExplained[];
}

/** Stages in the order that they are asked. */
export type Explained = readonly StageExplained[];

/** `target`: a path as a client sends it, with or without a stage. */
export async function explain(open: OpenStore, target: string): Promise<Explained> {
  const { prefix, raw_paths } = open.config;
  const sent = target.startsWith("/") ? target : `/${target}`;
  const escaped = encodeURI(sent).replaceAll("%25", "%");
  const read = decodeTarget(escaped);
  const asked = read && readName({ path: read.path, target: escaped }, prefix, raw_paths);
  if (asked === undefined || asked === "bad") throw new Error(`"${target}" is no name of a file`);
  const shelves = open.shelves
    .filter(({ number }) => asked.stage === "any" || number === asked.stage)
    .toSorted((a, b) => b.number - a.number);
  if (shelves.length === 0) throw new Error(`there is no stage ${asked.stage}`);
  return Promise.all(
    shelves.map((shelf) =>
      stageOf(shelf, { stage: shelf.number, key: asked.key, path: asked.path }),
    ),
  );
}

async function stageOf(shelf: Shelf, name: Name): Promise<StageExplained> {
  const places = shelf.places(name);
  const members = shelf.order(name).map(async (seat, i): Promise<PlaceExplained> => {
    const copy = i < shelf.copies ? i + 1 : 0;
    const one = { member: seat.id, where: seat.member.where, copy };
    try {
      const { version } = await seat.do((member) => look(member, places, shelf));
      if (version === undefined) return { ...one, has: "nothing" };
      if (version.kind === "deleted")
        return { ...one, has: "deleted", version: showStamp(version.stamp) };
      const has = version.kind === "bare" ? "bare" : "kept";
      const told = { version: showStamp(stampOf(version)), size: version.size };
      return { ...one, has, ...told, etag: etagOf(version) ?? "" };
    } catch (error) {
      return { ...one, has: error instanceof Error ? error.message : String(error) };
    }
  });
  return {
    stage: shelf.number,
    placement: shelf.record.placement,
    key: name.key,
    at: places.data,
    record: places.record,
    members: await Promise.all(members),
  };
}
