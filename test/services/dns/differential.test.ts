import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";

import { ZoneAnswerer } from "../../../src/services/dns/zone/zone-answerer.ts";
import type { Zone } from "../../../src/services/dns/zone/zone.ts";
import { decodeMessage, type Message } from "../../../src/wire/dns/message.ts";
import { showName } from "../../../src/wire/dns/name.ts";
import { Query, readQuery } from "../../../src/wire/dns/query.ts";
import { showType, TYPE } from "../../../src/wire/dns/types.ts";
import { FLAG } from "../../../src/wire/dns/writer.ts";
import { temporary } from "../../fake/temporary.ts";
import { type Compared, type Difference, EXCUSES } from "./excuses.ts";
import { messageOf, questionMessage, showRecord, wire, zoneOf } from "./zone/ask.ts";
import { havePeers, knot, nsd, type Peer, type Served } from "./zone/peers.ts";
import { haveSigners, sign } from "./zone/signed.ts";

/** For slow machines. */
const PATIENCE_MS = 120_000;
/** Questions under way at a time. */
const AT_A_TIME = 32;
/** Names that are not in the zone, per zone. */
const RANDOM_NAMES = 100;
/** What is asked of names that are not in the zone, besides what is asked of all. */
const COMMON = [
  TYPE.A,
  TYPE.NS,
  TYPE.CNAME,
  TYPE.MX,
  TYPE.DS,
  TYPE.DNAME,
  TYPE.NSEC,
  TYPE.ANY,
  TYPE.HTTPS,
];
const META = [TYPE.RRSIG, TYPE.NSEC3, TYPE.NSEC3PARAM, TYPE.DNSKEY, TYPE.SOA, 65281];

const ready = havePeers && haveSigners;
const answerer = new ZoneAnswerer();

describe.skipIf(!ready)("the same answers as NSD and Knot", () => {
  const kinds = ["plain", "nsec", "nsec3", "opt-out"] as const;
  const zones = new Map<string, Zone>();
  const excused = new Map<string, number>();
  let peers: Peer[] = [];
  let directory: { readonly path: string } & AsyncDisposable;

  beforeAll(async () => {
    directory = await temporary();
    const text = await Bun.file(join(import.meta.dir, "zone/everything.zone")).text();
    const served: Served[] = [];
    for (const kind of kinds) {
      const origin = `${kind}.`;
      const file = join(directory.path, kind);
      await Bun.write(file, text.replaceAll("example.", origin));
      const signed = kind === "plain" ? file : await sign(directory.path, origin, file, kind);
      served.push({ origin, file: signed });
      zones.set(kind, zoneOf(origin, await Bun.file(signed).text()));
    }
    peers = await Promise.all([nsd(directory.path, served), knot(directory.path, served)]);
  }, PATIENCE_MS);

  afterAll(async () => {
    for (const peer of peers) await peer[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  test.each(kinds)(
    "zone %s",
    async (kind) => {
      const zone = zones.get(kind) as Zone;
      const questions = allQuestions(zone);
      const unexcused: string[] = [];
      let next = 0;
      const worker = async (): Promise<void> => {
        while (next < questions.length) {
          const id = next & 0xffff;
          const { name, type } = questions[next++] as Question;
          for (const difference of await differences(zone, kind, id, name, type)) {
            const excuse = EXCUSES.find((one) => one.applies(difference));
            if (excuse) excused.set(excuse.why, (excused.get(excuse.why) ?? 0) + 1);
            else unexcused.push(show(difference));
          }
        }
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, worker));
      expect(questions.length).toBeGreaterThan(4000);
      expect(unexcused.slice(0, 5)).toEqual([]);
    },
    PATIENCE_MS,
  );

  test("no excuse is there for nothing", () => {
    expect(EXCUSES.filter(({ why }) => !excused.has(why))).toEqual([]);
  });

  async function differences(
    zone: Zone,
    kind: string,
    id: number,
    name: string,
    type: number,
  ): Promise<Difference[]> {
    const message = questionMessage(id, name, type, true);
    const query = new Query(0);
    readQuery(message, 0, message.length, query);
    const ours = compared(messageOf(message, query, answerer.answer(zone, message, query)));
    const found: Difference[] = [];
    for (const peer of peers) {
      const read = decodeMessage(await peer.ask(message));
      if (read === undefined) throw new Error(`${peer.name}'s answer cannot be read`);
      const theirs = compared(read);
      if (!Bun.deepEquals(ours, theirs))
        found.push({ peer: peer.name, zone: kind, name, type, ours, theirs });
    }
    return found;
  }
});

interface Question {
  readonly name: string;
  readonly type: number;
}

/** Every name with every type of the zone, names around them, and names nobody thought of. */
function allQuestions(zone: Zone): Question[] {
  const questions: Question[] = [];
  const types = new Set<number>([...COMMON, ...META]);
  for (let set = 0; set < zone.store.sets; set++) types.add(zone.store.type(set));
  const names: string[] = [];
  for (let node = 0; node < zone.store.names.size; node++)
    names.push(showName(zone.store.names.name(node)));
  for (const name of names) {
    for (const type of types) questions.push({ name, type });
    for (const around of ["x", "*", "a.b"])
      for (const type of COMMON) questions.push({ name: `${around}.${name}`, type });
  }
  const random = generator(20240607);
  for (let i = 0; i < RANDOM_NAMES; i++) {
    const label = Array.from(
      { length: 1 + (random() % 12) },
      () => `\\${String(random() % 256).padStart(3, "0")}`,
    ).join("");
    const name = `${label}.${names[random() % names.length] ?? ""}`;
    for (const type of COMMON) questions.push({ name, type });
    questions.push({ name, type: 256 + (random() % 60_000) });
  }
  return questions.filter(({ name }) => wire(name).length < 255);
}

/** The same numbers every time (an LCG; Numerical Recipes, 7.1). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}

function compared(message: Message): Compared {
  return {
    rcode: message.rcode,
    authoritative: (message.flags & FLAG.AA) !== 0,
    answer: lines(message.answers),
    authority: lines(message.authorities),
    additional: lines(message.additionals),
  };
}

function lines(records: Message["answers"]): string[] {
  // RFC 1035, 6.2: a record twice is once; NSD says the circle of an alias twice.
  return [...new Set(records.map((rr) => showRecord(rr).toLowerCase()))].sort();
}

function show({ peer, zone, name, type, ours, theirs }: Difference): string {
  const brief = (side: Compared): string => JSON.stringify(side).replaceAll(/[\w+/]{40,}=*/g, "…");
  return `${zone}: ${name} ${showType(type)}\n   we: ${brief(ours)}\n ${peer}: ${brief(theirs)}`;
}
