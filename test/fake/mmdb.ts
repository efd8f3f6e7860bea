/** Writes MaxMind databases (https://maxmind.github.io/MaxMind-DB/), for tests. */
import { parseCidr } from "../../src/core/cidr.ts";
import { ipBytes } from "../../src/core/ip-bytes.ts";

export type Value = string | number | readonly Value[] | { readonly [key: string]: Value };

interface Node {
  readonly children: [Node | undefined, Node | undefined];
  /** A leaf: where in the data section its record begins. */
  data: number | undefined;
}

const RECORD_BITS = 24;
const SEPARATOR = 16;
const IP4_IN_IP6 = 96;

/** A database of networks; a longer one must come behind a shorter one that it is part of. */
export function mmdb(networks: Readonly<Record<string, Value>>, version: 4 | 6 = 6): Uint8Array {
  const root: Node = leaf(undefined);
  const data: number[] = [];
  for (const [text, record] of Object.entries(networks)) {
    const cidr = parseCidr(text);
    const bytes = cidr && ipBytes(cidr.base, cidr.base.version);
    if (!cidr || !bytes) throw new Error(`no network: ${text}`);
    const inside = cidr.base.version === 4 && version === 6 ? IP4_IN_IP6 : 0;
    const bits = [
      ...Array<number>(inside).fill(0),
      ...Array.from({ length: cidr.bits }, (_, i) => ((bytes[i >> 3] ?? 0) >> (7 - (i & 7))) & 1),
    ];
    put(root, bits, data.length);
    data.push(...encode(record));
  }
  const nodes: Node[] = [];
  const number = new Map<Node, number>();
  const walk = (node: Node): void => {
    if (node.children[0] === undefined) return;
    number.set(node, nodes.length);
    nodes.push(node);
    for (const child of node.children) if (child) walk(child);
  };
  walk(root);
  const tree = nodes.flatMap((node) =>
    node.children.flatMap((child) => {
      const inner = child && number.get(child);
      const at =
        inner ?? (child?.data === undefined ? nodes.length : nodes.length + SEPARATOR + child.data);
      return [at >>> 16, (at >>> 8) & 255, at & 255];
    }),
  );
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000,
    database_type: "Test",
    description: { en: "made by a test" },
    ip_version: version,
    languages: ["en"],
    node_count: nodes.length,
    record_size: RECORD_BITS,
  });
  const marker = [0xab, 0xcd, 0xef, ...new TextEncoder().encode("MaxMind.com")];
  return Uint8Array.from([
    ...tree,
    ...Array<number>(SEPARATOR).fill(0),
    ...data,
    ...marker,
    ...metadata,
  ]);
}

function leaf(data: number | undefined): Node {
  return { children: [undefined, undefined], data };
}

function put(root: Node, bits: readonly number[], data: number): void {
  let node = root;
  for (const [i, bit] of bits.entries()) {
    if (node.children[0] === undefined) {
      node.children[0] = leaf(node.data); // what was one network becomes two halves
      node.children[1] = leaf(node.data);
    }
    if (i === bits.length - 1) node.children[bit] = leaf(data);
    node = node.children[bit] as Node;
  }
}

const TYPE = { string: 2, uint32: 6, map: 7, array: 11 } as const;

function encode(value: Value): number[] {
  if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    return [...control(TYPE.string, bytes.length), ...bytes];
  }
  if (typeof value === "number") {
    const bytes = [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
    return [...control(TYPE.uint32, 4), ...bytes];
  }
  if (Array.isArray(value)) return [...control(TYPE.array, value.length), ...value.flatMap(encode)];
  const entries = Object.entries(value);
  return [
    ...control(TYPE.map, entries.length),
    ...entries.flatMap(([k, v]) => [...encode(k), ...encode(v)]),
  ];
}

function control(type: number, size: number): number[] {
  if (size >= 29) throw new Error("longer than a test needs");
  return type > 7 ? [size, type - 7] : [(type << 5) | size];
}
