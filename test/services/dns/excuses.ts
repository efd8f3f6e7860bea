import { TYPE } from "../../../src/wire/dns/types.ts";

/** An answer as it is compared: sections as sorted lines, without case and repetition. */
export interface Compared {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
}

/** A question that somebody else answers differently. */
export interface Difference {
  readonly peer: string;
  readonly zone: string;
  readonly name: string;
  readonly type: number;
  readonly ours: Compared;
  readonly theirs: Compared;
}

/** Why it is right that we differ. */
export interface Excuse {
  readonly why: string;
  applies(difference: Difference): boolean;
}

/** Each is about one peer, and as narrow as can be: everything it does not name must agree. */
export const EXCUSES: readonly Excuse[] = [
  {
    why: "any set is an answer to ANY (RFC 8482, 4.1); NSD takes the last it read, we the lowest type",
    applies: ({ type, ours, theirs }) =>
      type === TYPE.ANY &&
      ours.rcode === theirs.rcode &&
      ours.answer.length > 0 === theirs.answer.length > 0,
  },
  {
    why: "addresses of names in an answer are a courtesy (RFC 1034, 4.3.2): NSD with minimal responses has none, Knot none for AFSDB, KX and HTTPS of the name itself",
    applies: ({ ours, theirs }) =>
      sameBut(ours, theirs, "additional") &&
      ours.authoritative &&
      within(theirs.additional, ours.additional),
  },
  {
    why: "Knot gives one of the signatures when RRSIG is asked for, NSD and we all",
    applies: ({ peer, type, ours, theirs }) =>
      peer === "Knot" &&
      type === TYPE.RRSIG &&
      sameBut(ours, theirs, "answer") &&
      within(theirs.answer, ours.answer) &&
      theirs.answer.length > 0,
  },
  {
    why: "NSD follows an alias for RRSIG and NSEC, which stand beside it (RFC 4034, 2.5 and 3), and does not for NSEC3",
    applies: ({ peer, type, ours, theirs }) =>
      peer === "NSD" &&
      (type === TYPE.RRSIG || type === TYPE.NSEC || type === TYPE.NSEC3) &&
      [...ours.answer, ...theirs.answer].some((line) => line.includes(" cname ")),
  },
  {
    why: "NSD does not prove that the name which a DNAME led to is not there",
    applies: ({ peer, ours, theirs }) =>
      peer === "NSD" &&
      sameBut(ours, theirs, "authority") &&
      ours.answer.some((line) => line.includes(" dname ")) &&
      within(theirs.authority, ours.authority),
  },
  {
    why: "NSD adds the closest encloser when the wildcard itself, that matches, is asked for",
    applies: ({ peer, name, ours, theirs }) =>
      peer === "NSD" &&
      sameBut(ours, theirs, "authority") &&
      name.startsWith("*.") &&
      within(ours.authority, theirs.authority),
  },
  {
    why: "NSD does not climb to the closest provable encloser from an empty non-terminal of opted-out delegations (RFC 5155, 7.2.1)",
    applies: ({ peer, zone, name, ours, theirs }) =>
      peer === "NSD" &&
      zone === "opt-out" &&
      sameBut(ours, theirs, "authority") &&
      /(^|\.)(er\.del|del|deleg)\.[^.]+\.$/.test(name),
  },
  {
    why: "Knot leaves it to the NSEC of a name below a wildcard to prove that the wildcard is an empty non-terminal",
    applies: ({ peer, zone, name, ours, theirs }) =>
      peer === "Knot" &&
      zone === "nsec" &&
      sameBut(ours, theirs, "authority") &&
      name.endsWith(".wildent.nsec.") &&
      within(theirs.authority, ours.authority),
  },
  {
    why: "Knot leaves out a wildcard's own NSEC where it is also, under the name asked for, the answer",
    applies: ({ peer, type, ours, theirs }) =>
      peer === "Knot" &&
      type === TYPE.NSEC &&
      sameBut(ours, theirs, "authority") &&
      theirs.authority.length === 0 &&
      ours.answer.length > 0,
  },
];

const SECTIONS = ["answer", "authority", "additional"] as const;

function sameBut(a: Compared, b: Compared, section: (typeof SECTIONS)[number]): boolean {
  if (a.rcode !== b.rcode || a.authoritative !== b.authoritative) return false;
  return SECTIONS.every(
    (s) => s === section || (a[s].length === b[s].length && within(a[s], b[s])),
  );
}

function within(some: readonly string[], all: readonly string[]): boolean {
  return some.every((line) => all.includes(line));
}
