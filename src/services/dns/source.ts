import type { Query } from "../../wire/dns/query.ts";
import type { Remarks } from "./reply.ts";
import type { Tail } from "./tail.ts";
import type { Via } from "./via.ts";
import type { Signer } from "./zone/signing/signer.ts";

/** What answers for a name and all below it: a zone. */
export interface Source {
  /** Tells its "no such name" from others', for the limit of answers. */
  readonly id: number;
  /**
   * The answer to `query`, read from `bytes`, good until the next question; undefined says SERVFAIL.
   * What belongs into OPT goes to `remarks`, whose rcode and AA are the tail's.
   */
  answer(bytes: Uint8Array, query: Query, via: Via, remarks: Remarks): Tail | undefined;
  /** Whether the last answer was to a name that exists, by whatever it says only of it. */
  readonly exact: boolean;
  /** Signs what is computed for names in its zone, as it is asked; undefined: nobody does. */
  readonly signer: Signer | undefined;
  /** Whether an exact answer is the same for everybody, until the catalog changes. */
  readonly lasting: boolean;
}
