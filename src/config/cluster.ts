import { hostname } from "node:os";

import * as v from "valibot";

import type { Quorum } from "../core/quorum.ts";
import { maybe } from "./key.ts";
import { Refusal, scalar } from "./scalar.ts";
import { type Secret, secret } from "./secret.ts";
import { surroundings } from "./surroundings.ts";

/** What several appliances share, and by which engine. */
export interface ClusterConfig {
  /** A URL of Redis or Valkey; it may hold a password. */
  readonly redis: Secret;
  /** Certificates (PEM) to believe in place of the system's, for `rediss:`. */
  readonly ca: string | undefined;
  /** What this appliance is called; no other one in the cluster is. */
  readonly node: string;
  readonly quorum: Quorum;
  /** Addresses of one etcd cluster; undefined: none. */
  readonly etcd: readonly string[] | undefined;
}

const SCHEMES = new Set([
  "redis:",
  "rediss:",
  "valkey:",
  "valkeys:",
  "redis+unix:",
  "valkey+unix:",
]);
const NODE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const MAX_QUORUM = 64;

const node = scalar('a name of letters, digits, dots and dashes such as "edge-1"', (text) =>
  NODE.test(text) ? text : undefined,
);

const quorum = scalar(
  '"majority" or a number of nodes',
  (text): Quorum | undefined => {
    if (text === "majority") return text;
    const n = Number(text);
    return Number.isInteger(n) && n >= 1 && n <= MAX_QUORUM ? n : undefined;
  },
  {
    description: "Nodes that must see a server down before it is.",
    anyOf: [{ const: "majority" }, { type: "integer", minimum: 1, maximum: MAX_QUORUM }],
  },
);

/** A secret like any other, since there may be a password in it. */
const redis = v.pipe(
  secret,
  v.check(
    (url) => isRedis(url.reveal()),
    'expected a URL such as "redis://127.0.0.1:6379", "rediss://:password@host:6379/1" or "redis+unix:///run/redis.sock"',
  ),
);

const certificates = scalar("a path of certificates in PEM", (file) => {
  try {
    const text = surroundings().reveal({ kind: "file", path: file });
    if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  } catch (error) {
    throw new Refusal(`cannot read ${file}: ${error instanceof Error ? error.message : error}`);
  }
  throw new Refusal(`${file} holds no certificate in PEM`);
});

const etcdUrl = v.pipe(
  v.string(),
  v.regex(
    /^https?:\/\/[^/]+\/?$/i,
    'expected a URL such as "http://127.0.0.1:2379", or a list of them',
  ),
);
const etcd = v.union([
  v.pipe(
    etcdUrl,
    v.transform((url): readonly string[] => [url]),
  ),
  v.pipe(v.array(etcdUrl), v.minLength(1, "expected an address at least")),
]);

/** The contract's `cluster:`. */
export const cluster = v.pipe(
  v.strictObject({
    redis: v.pipe(redis, v.description("Redis or Valkey, version 6 or later: health votes.")),
    ca: maybe(
      certificates,
      "Path of certificates (PEM) to believe in place of the system's, for rediss:.",
    ),
    node: maybe(
      node,
      "What this appliance is called, unlike all others; its host's name when not given.",
    ),
    quorum: v.optional(
      v.pipe(quorum, v.description("Nodes that must see a server down before it is.")),
      "majority",
    ),
    etcd: maybe(etcd, "URL of etcd, or several of one cluster: stage records, leases, locks."),
  }),
  v.transform(({ redis, ca, node, quorum, etcd }): ClusterConfig => {
    return { redis, ca, node: node ?? ownName(), quorum, etcd };
  }),
);

/** The host's name, without what a node's may not have. */
function ownName(): string {
  const name = hostname()
    .replaceAll(/[^A-Za-z0-9._-]/g, "-")
    .slice(0, 63);
  return NODE.test(name) ? name : "tern";
}

function isRedis(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && SCHEMES.has(url.protocol) && (url.host !== "" || url.pathname.length > 1);
}
