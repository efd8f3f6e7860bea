/** `names:`, what is answered from health, order and place. */
import * as v from "valibot";

import { check } from "../../../config/check.ts";
import { key } from "../../../config/key.ts";
import { scalar } from "../../../config/scalar.ts";
import { count } from "../../../config/scalars.ts";
import { parseDuration } from "../../../core/units.ts";
import { parseName } from "../../../wire/dns/name.ts";
import { TYPE } from "../../../wire/dns/types.ts";
import { type PlaceKey, placeKeys } from "../geo/place-key.ts";
import { type MemberConfig, members } from "./member-word.ts";

/** RFC 2181, 8: 31 bits of seconds. */
const MAX_TTL = 2 ** 31 - 1;
/** More records than this are in no answer that anybody has use for. */
const MAX_MEMBERS = 1024;
const MAX_STRING = 255;

/** `100` or `"100s"`, in seconds. */
const ttl = scalar('a TTL such as 300 or "5m"', (text): number | undefined => {
  const seconds = /^\d+$/.test(text) ? Number(text) : (parseDuration(text) ?? Number.NaN) / 1000;
  return Number.isInteger(seconds) && seconds <= MAX_TTL ? seconds : undefined;
});

const weight = v.optional(count(), 1);

const word = scalar(
  'an address, a range such as "10.0.0.4-9" or a name',
  (text): readonly MemberConfig[] | undefined => members(text, 1),
);

const weighted = v.pipe(
  v.strictObject({ address: word, weight }),
  v.transform(({ address, weight }) => address.map((one) => ({ ...one, weight }))),
);

const u16 = v.pipe(count(), v.maxValue(0xffff));
const domain = scalar('a name such as "sip1.example.net"', (text) =>
  parseName(text.replace(/\.?$/, ".")),
);
/** Whose health stands for the record's. */
const watched = scalar('an address such as "10.0.0.1" or "10.0.0.1:5060"', (text) => {
  const [one, ...more] = members(text, 1) ?? [];
  return more.length === 0 && one?.host !== undefined ? one : undefined;
});

const service = v.pipe(
  v.strictObject({
    srv: v.strictObject({
      priority: v.optional(u16, 0),
      weight: v.optional(u16, 0),
      port: u16,
      target: domain,
    }),
    address: v.optional(watched),
    weight,
  }),
  v.transform(({ srv, address, weight }): MemberConfig[] => {
    const rdata = new Uint8Array(6 + srv.target.length);
    const view = new DataView(rdata.buffer);
    view.setUint16(0, srv.priority);
    view.setUint16(2, srv.weight);
    view.setUint16(4, srv.port);
    rdata.set(srv.target, 6);
    const label = address?.label ?? `srv ${srv.port}`;
    return [
      {
        label,
        type: TYPE.SRV,
        rdata,
        weight,
        host: address?.host,
        port: address?.port ?? srv.port,
      },
    ];
  }),
);

const text = v.pipe(
  v.strictObject({
    txt: v.pipe(
      v.string(),
      v.check(
        (s) => new TextEncoder().encode(s).length <= MAX_STRING,
        `expected at most ${MAX_STRING} bytes`,
      ),
    ),
    address: v.optional(watched),
    weight,
  }),
  v.transform(({ txt, address, weight }): MemberConfig[] => {
    const bytes = new TextEncoder().encode(txt);
    const rdata = Uint8Array.of(bytes.length, ...bytes);
    return [
      { label: txt, type: TYPE.TXT, rdata, weight, host: address?.host, port: address?.port },
    ];
  }),
);

const list = v.pipe(
  v.array(v.union([word, weighted, service, text])),
  v.minLength(1),
  v.transform((parts): readonly MemberConfig[] => parts.flat()),
  v.check((all) => all.length <= MAX_MEMBERS, `expected at most ${MAX_MEMBERS} records`),
  v.check(
    (all) =>
      !all.some((one) => one.type === TYPE.CNAME) || all.every((one) => one.type === TYPE.CNAME),
    "a tier is of names or of addresses, not of both: a CNAME stands alone (RFC 1034, 3.6.2)",
  ),
);

const tier = v.union([
  v.pipe(
    list,
    v.transform((all): TierConfig => ({ members: all, ttl: undefined })),
  ),
  v.pipe(
    v.strictObject({ members: list, ttl: v.optional(ttl) }),
    v.transform((all): TierConfig => ({ members: all.members, ttl: all.ttl })),
  ),
]);

/** The first tier with anybody alive is answered. */
export interface TierConfig {
  readonly members: readonly MemberConfig[];
  /** Seconds; undefined: the name's. */
  readonly ttl: number | undefined;
}

const tiers = v.pipe(v.array(tier), v.minLength(1));

/** Members alone are one tier; lists are tiers. */
const variant = v.union([
  v.pipe(
    list,
    v.transform((all): readonly TierConfig[] => [{ members: all, ttl: undefined }]),
  ),
  tiers,
]);

const places = v.pipe(
  v.record(v.string(), variant),
  v.rawTransform(({ dataset, addIssue, NEVER }): readonly GeoConfig[] => {
    const read: GeoConfig[] = [];
    for (const [key, tiersThere] of Object.entries(dataset.value)) {
      const keys = placeKeys(key);
      if (keys === undefined) {
        addIssue({
          message: `"${key}" is no place: expected continents and countries such as "AS/CN", networks such as "10.0.0.0/8" or AS numbers such as "AS64500"`,
          path: [{ type: "object", origin: "key", input: dataset.value, key, value: tiersThere }],
        });
        return NEVER;
      }
      read.push({ keys, tiers: tiersThere });
    }
    return read;
  }),
);

/** Tiers for clients of some places; the name's own come behind them. */
export interface GeoConfig {
  readonly keys: readonly PlaceKey[];
  readonly tiers: readonly TierConfig[];
}

/** One computed name. TTLs are seconds. */
const computedName = v.pipe(
  v.strictObject({
    ttl: key(ttl, 60, "How long clients may remember an answer, in seconds."),
    tiers: v.pipe(
      tiers,
      v.description("Lists of records; the first with anybody alive is answered."),
    ),
    order: key(
      v.picklist(["roundrobin", "random", "weighted", "fixed", "hash"]),
      "roundrobin",
      "Of the records in an answer.",
    ),
    answers: key(v.union([v.literal("all"), count(1)]), "all", "How many are given."),
    check: key(v.nullable(check), null, "How it is found out who is alive."),
    all_down: key(
      v.picklist(["serve", "last", "nodata", "nxdomain", "servfail"]),
      "serve",
      "What is said when nobody is: everything, the last tier, or nothing.",
    ),
    flapping_ttl: key(v.nullable(ttl), null, "TTL while members come and go."),
    geo: key(places, {}, "Other tiers for clients of some places."),
    flatten: key(
      v.boolean() as v.GenericSchema<unknown, boolean>,
      false,
      "Names in tiers stand for their addresses, looked up here (ALIAS), instead of a CNAME.",
    ),
  }),
  v.check(
    ({ check: how, ...rest }) =>
      how?.kind !== "tcp" ||
      how.port !== undefined ||
      everyMember(rest).every((one) => one.port !== undefined),
    'a check of kind tcp needs a port: "port: 443" in it, or "10.0.0.1:443" in the tiers',
  ),
);
export type NameConfig = v.InferOutput<typeof computedName>;
export type Order = NameConfig["order"];
export type AllDown = NameConfig["all_down"];

/** By name, in lower case, with or without the dot at its end. */
export const names = v.pipe(
  v.record(
    v.pipe(
      v.string(),
      v.check(
        (name) => parseName(name.replace(/\.?$/, ".")) !== undefined,
        'expected a name such as "www.example.net"',
      ),
    ),
    computedName,
  ),
);
export type NamesConfig = v.InferOutput<typeof names>;

/** Every record that a name may be answered with. */
function everyMember({ tiers, geo }: Reach): MemberConfig[] {
  return [...tiers, ...geo.flatMap((there) => there.tiers)].flatMap((one) => one.members);
}

interface Reach {
  readonly tiers: readonly TierConfig[];
  readonly geo: readonly GeoConfig[];
}
