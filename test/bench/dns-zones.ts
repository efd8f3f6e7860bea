import { sign } from "../services/dns/zone/signed.ts";

/** Names of the large zone. */
export const NAMES = 10_000;
/** Records of the zone that is reloaded. */
export const RELOADED = 100_000;
/** Addresses of the computed name. */
export const MEMBERS = [
  "127.0.0.11",
  "127.0.0.12",
  "127.0.0.13",
  "127.0.0.14",
  "127.0.0.15",
  "127.0.0.16",
];

export const ZONE = "bench.example";
export const SIGNED = "signed.example";
export const COMPUTED = "computed.example";
export const LARGE = "large.example";

const HEAD = (serial: number): string => `$TTL 300
@ SOA ns1 hostmaster ${serial} 3600 900 1209600 300
@ NS ns1
@ NS ns2
ns1 A 192.0.2.1
ns2 A 192.0.2.2
`;

/** Zone files in `dir`, and the questions of each row in `dir/ROW.txt`. */
export async function makeZones(dir: string): Promise<void> {
  const four = "www A 192.0.2.11\nwww A 192.0.2.12\nwww A 192.0.2.13\nwww A 192.0.2.14\n";
  const hosts = lines(NAMES, (i) => `h${i} A 10.0.${(i >> 8) & 255}.${i & 255}`);
  await Bun.write(`${dir}/${ZONE}.zone`, `$ORIGIN ${ZONE}.\n${HEAD(1)}${four}${hosts}`);
  await Bun.write(
    `${dir}/plain`,
    `$ORIGIN ${SIGNED}.\n${HEAD(1)}${lines(1000, (i) => `h${i} A 10.0.0.1`)}`,
  );
  const signed = await sign(dir, `${SIGNED}.`, `${dir}/plain`, "nsec");
  await Bun.write(`${dir}/${SIGNED}.zone`, Bun.file(signed));
  await largeZone(dir, 1);

  await Bun.write(`${dir}/one.txt`, `www.${ZONE} A\n`);
  await Bun.write(
    `${dir}/many.txt`,
    lines(NAMES, () => `h${Math.floor(Math.random() * NAMES)}.${ZONE} A`),
  );
  await Bun.write(`${dir}/computed.txt`, `a.${COMPUTED} A\n`);
  await Bun.write(
    `${dir}/denied.txt`,
    lines(NAMES, (i) => `n${i}x${Math.floor(Math.random() * 1e9)}.${SIGNED} A`),
  );
  await Bun.write(
    `${dir}/large.txt`,
    lines(1000, () => `h${Math.floor(Math.random() * RELOADED)}.${LARGE} A`),
  );
}

/** Another version of the large zone. */
export async function largeZone(dir: string, serial: number): Promise<void> {
  const hosts = lines(
    RELOADED,
    (i) => `h${i} A 10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
  );
  await Bun.write(`${dir}/${LARGE}.zone`, `$ORIGIN ${LARGE}.\n${HEAD(serial)}${hosts}`);
}

function lines(count: number, line: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => `${line(i)}\n`).join("");
}
