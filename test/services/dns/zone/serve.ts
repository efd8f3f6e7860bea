import { ZoneAnswerer } from "../../../../src/services/dns/zone/zone-answerer.ts";
import type { Zone } from "../../../../src/services/dns/zone/zone.ts";
import { ANSWER, HEADER, Query, readQuery } from "../../../../src/wire/dns/query.ts";
import { FLAG } from "../../../../src/wire/dns/writer.ts";
import { freePort } from "../../../fake/ports.ts";

/** An OPT record that takes 4096 bytes, with DO. */
const OPT = Uint8Array.of(0, 0, 41, 16, 0, 0, 0, 0x80, 0, 0, 0);

/**
 * One zone on a port of 127.0.0.1, for programs that only know servers. Over UDP answers are sent
 * whole; over TCP, which BIND's want for a DNAME, one question is answered.
 */
export async function serve(zone: Zone): Promise<{ readonly port: number } & Disposable> {
  const answerer = new ZoneAnswerer();
  const query = new Query();
  const port = await freePort();
  const socket = await Bun.udpSocket({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(from, bytes, to, address) {
        const answer = answerTo(zone, answerer, bytes, query);
        if (answer) from.send(answer, to, address);
      },
    },
  });
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(from, bytes) {
        const answer = answerTo(zone, answerer, bytes.subarray(2), query);
        if (answer) from.end(Uint8Array.of(answer.length >>> 8, answer.length & 0xff, ...answer));
      },
    },
  });
  return {
    port,
    [Symbol.dispose]() {
      socket.close();
      listener.stop(true);
    },
  };
}

function answerTo(
  zone: Zone,
  answerer: ZoneAnswerer,
  bytes: Uint8Array,
  query: Query,
): Uint8Array | undefined {
  if (readQuery(bytes, 0, bytes.length, query) !== ANSWER) return undefined;
  const tail = answerer.answer(zone, bytes, query);
  const out = new Uint8Array(0xffff);
  const view = new DataView(out.buffer);
  view.setUint16(0, query.id);
  view.setUint16(
    2,
    FLAG.QR | (query.flags & (FLAG.RD | FLAG.CD)) | (tail.authoritative ? FLAG.AA : 0) | tail.rcode,
  );
  view.setUint16(4, 1);
  view.setUint16(6, tail.answers);
  view.setUint16(8, tail.authorities);
  view.setUint16(10, tail.additionals + (query.edns.present ? 1 : 0));
  out.set(bytes.subarray(query.qnameStart, query.questionEnd), HEADER);
  const end = tail.copy(out, HEADER + query.questionEnd - query.qnameStart, tail.length);
  if (!query.edns.present) return out.slice(0, end);
  out.set(OPT, end);
  return out.slice(0, end + OPT.length);
}
