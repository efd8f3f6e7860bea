import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signWith,
} from "node:crypto";

/** ECDSA Curve P-256 with SHA-256 (RFC 6605), which every validator knows (RFC 8624, 3.1). */
export const ALGORITHM = 13;
/** What a signature takes: r and s (RFC 6605, 4). */
const SIGNATURE_BYTES = 64;
/** SHA-256 (RFC 4509). */
const DIGEST_TYPE = 2;
/** Zone key and secure entry point: one key signs everything (RFC 6781, 3.1). */
const FLAGS = 257;
/** RFC 4034, 2.1.2. */
const PROTOCOL = 3;

/** The key of a zone that is signed as it is asked: both its KSK and its ZSK. */
export class ZoneKey {
  readonly #private: KeyObject;
  /** The rdata of its DNSKEY, and of its CDNSKEY (RFC 7344, 3.2). */
  readonly dnskey: Uint8Array;
  /** RFC 4034, appendix B. */
  readonly tag: number;

  private constructor(key: KeyObject) {
    this.#private = key;
    const { crv, x = "", y = "" } = key.export({ format: "jwk" });
    const point = Buffer.concat([Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
    if (crv !== "P-256" || point.length !== SIGNATURE_BYTES)
      throw new Error("expected a key of the curve P-256");
    this.dnskey = Uint8Array.of(FLAGS >>> 8, FLAGS & 0xff, PROTOCOL, ALGORITHM, ...point);
    this.tag = keyTag(this.dnskey);
  }

  static generate(): ZoneKey {
    return new ZoneKey(generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey);
  }

  /** Throws for anything but a private key of P-256 in PEM. */
  static fromPem(text: string): ZoneKey {
    return new ZoneKey(createPrivateKey(text));
  }

  get pem(): string {
    return this.#private.export({ type: "pkcs8", format: "pem" }).toString();
  }

  /** The signature of `data`, as RRSIG has it. */
  sign(data: Uint8Array): Uint8Array {
    return signWith("sha256", data, { key: this.#private, dsaEncoding: "ieee-p1363" });
  }

  /** The rdata of the DS for the parent, and of the CDS (RFC 4034, 5.1.4). `origin` in lower case. */
  ds(origin: Uint8Array): Uint8Array {
    const digest = createHash("sha256").update(origin).update(this.dnskey).digest();
    return Uint8Array.of(this.tag >>> 8, this.tag & 0xff, ALGORITHM, DIGEST_TYPE, ...digest);
  }
}

function keyTag(rdata: Uint8Array): number {
  let sum = 0;
  for (const [i, byte] of rdata.entries()) sum += i & 1 ? byte : byte << 8;
  return (sum + (sum >>> 16)) & 0xffff;
}
