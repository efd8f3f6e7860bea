import { type Cidr, parseCidr } from "../../../core/cidr.ts";

/** What a place in the config is known by. */
export type PlaceKey =
  | { readonly kind: "network"; readonly cidr: Cidr }
  | { readonly kind: "as"; readonly number: number }
  /** ISO 3166-1, or one of the seven continents. */
  | { readonly kind: "code"; readonly code: string };

/** As GeoIP2 has them. AS and NA are countries too; 3xsd and we mean the continent. */
export const CONTINENTS: ReadonlySet<string> = new Set(["AF", "AN", "AS", "EU", "NA", "OC", "SA"]);

/** `AS64500` is a network of networks, `AS` alone is Asia. */
const AS_NUMBER = /^AS([1-9]\d{0,9})$/i;
const CODE = /^[A-Z]{2}$/i;

/** `AS/CN`: each of these; or one network. Undefined for what is no place. */
export function placeKeys(text: string): readonly PlaceKey[] | undefined {
  if (/[.:]/.test(text)) {
    const cidr = parseCidr(text);
    return cidr && [{ kind: "network", cidr }];
  }
  const keys = text.split("/").map((word): PlaceKey | undefined => {
    const number = Number(AS_NUMBER.exec(word)?.[1]);
    if (number < 2 ** 32) return { kind: "as", number };
    return CODE.test(word) ? { kind: "code", code: word.toUpperCase() } : undefined;
  });
  return keys.every((key) => key !== undefined) ? keys : undefined;
}
