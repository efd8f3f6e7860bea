import type { Message } from "../../../../wire/dns/message.ts";
import { lower, nameKey } from "../../../../wire/dns/name.ts";
import type { Rr } from "../../../../wire/dns/rr.ts";
import { CLASS, RCODE, TYPE } from "../../../../wire/dns/types.ts";
import { compactNsec } from "./compact-nsec.ts";
import type { Signer } from "./signer.ts";

/** What is asked for, and what else is known of it. */
export interface Asked {
  readonly type: number;
  /** The client takes NXDOMAIN with a proof that the name is there (RFC 9824, 5.1). */
  readonly compact: boolean;
  /** All types that the name at the end of the answer has. */
  readonly types: readonly number[];
}

/** An answer, signed. */
export interface SignedAnswer {
  readonly rcode: number;
  readonly answers: readonly Rr[];
  readonly authorities: readonly Rr[];
}

/**
 * Sign an answer of ours that was computed, not read from a zone: each set gets its signature, and
 * a SOA, which says that something is not there, the proof of that (RFC 9824). What leads out of
 * the signer's zone is not followed here, so everything in it is the zone's.
 */
export function signAnswer(answer: Message, asked: Asked, signer: Signer): SignedAnswer {
  const { rcode, answers, authorities } = answer;
  const signed = withSignatures(answers, signer);
  const [soa] = authorities;
  if (soa === undefined) return { rcode, answers: signed, authorities };

  const alias = answers.findLast(({ type }) => type === TYPE.CNAME);
  const denied = alias ? alias.rdata : (answer.questions[0]?.name ?? signer.origin);
  const missing = rcode === RCODE.NXDOMAIN;
  const types = missing ? [TYPE.NXNAME] : asked.types.filter((type) => type !== asked.type);
  const rdata = compactNsec(lower(denied), [...types, TYPE.RRSIG, TYPE.NSEC]);
  const nsec = { name: denied, type: TYPE.NSEC, class: CLASS.IN, ttl: soa.ttl, rdata };
  return {
    rcode: missing && !asked.compact ? RCODE.NOERROR : rcode,
    answers: signed,
    authorities: withSignatures([...authorities, nsec], signer),
  };
}

/** Every set, its signatures behind it. */
function withSignatures(records: readonly Rr[], signer: Signer): Rr[] {
  const sets = Map.groupBy(records, ({ name, type }) => `${type} ${nameKey(name)}`);
  return [...sets.values()].flatMap((set) => {
    const { name, type, ttl } = set[0] as Rr; // a group has one at least
    const rdatas = set.map(({ rdata }) => rdata);
    const signatures = signer.sign(lower(name), type, ttl, rdatas);
    const rrsig = { name, type: TYPE.RRSIG, class: CLASS.IN, ttl };
    return [...set, ...signatures.map((rdata) => ({ ...rrsig, rdata }))];
  });
}
