import { decodeMessage } from "../../wire/dns/message.ts";
import type { Query } from "../../wire/dns/query.ts";
import type { Rr } from "../../wire/dns/rr.ts";
import { FLAG, type MessageWriter, SECTION, type Section } from "../../wire/dns/writer.ts";
import { signAnswer } from "./zone/signing/sign-answer.ts";
import type { Signer } from "./zone/signing/signer.ts";

/**
 * Write the answer that `writer` has once more, signed. `begin` begins it anew; `types` are all
 * those that the name has. When there is no room for signatures the client is to ask by TCP.
 */
export function signWritten(
  writer: MessageWriter,
  query: Query,
  types: readonly number[],
  signer: Signer,
  begin: () => void,
): void {
  const { out, start } = writer;
  const written = decodeMessage(out.subarray(start, start + writer.end()));
  if (written === undefined || written.flags & FLAG.TC) return;
  const { compact } = query.edns;
  const signed = signAnswer(written, { type: query.qtype, compact, types }, signer);
  begin();
  writer.flag(written.flags & FLAG.AA);
  writer.rcode(signed.rcode);
  const fits =
    addAll(writer, SECTION.ANSWER, signed.answers) &&
    addAll(writer, SECTION.AUTHORITY, signed.authorities);
  if (fits) return;
  begin();
  writer.flag((written.flags & FLAG.AA) | FLAG.TC);
}

function addAll(writer: MessageWriter, section: Section, records: readonly Rr[]): boolean {
  return records.every((rr) => writer.add(section, rr.name, rr.type, rr.class, rr.ttl, rr.rdata));
}
