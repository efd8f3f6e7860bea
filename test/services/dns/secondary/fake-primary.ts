import { createServer, type Socket } from "node:net";

import { decodeMessage, type Message } from "../../../../src/wire/dns/message.ts";
import type { Rr } from "../../../../src/wire/dns/rr.ts";
import { TYPE } from "../../../../src/wire/dns/types.ts";
import { freePort } from "../../../fake/ports.ts";
import { part, soa } from "./records.ts";

/** A primary that says what it is told to say. */
export interface FakePrimary extends AsyncDisposable {
  readonly port: number;
  /** Serial of its SOA over UDP. */
  serial: number;
  /** The messages that answer a transfer; the connection then ends. */
  answers: (question: Message) => readonly Uint8Array[];
  /** Questions that came by UDP. */
  polls: number;
  /** Types of the questions that came by TCP. */
  readonly asked: number[];
}

export async function fakePrimary(): Promise<FakePrimary> {
  const port = await freePort();
  const fake: Omit<FakePrimary, typeof Symbol.asyncDispose> = {
    port,
    serial: 1,
    answers: () => [],
    polls: 0,
    asked: [],
  };
  const udp = await Bun.udpSocket({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(socket, bytes, from, address) {
        const question = decodeMessage(new Uint8Array(bytes));
        if (question === undefined) return;
        fake.polls++;
        socket.send(part(question.id, TYPE.SOA, [soa(fake.serial)]), from, address);
      },
    },
  });
  const open = new Set<Socket>();
  const tcp = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {}); // whoever asked may leave at any time
    socket.on("close", () => open.delete(socket));
    socket.on("data", (bytes: Buffer) => {
      const question = decodeMessage(new Uint8Array(bytes.subarray(2)));
      if (question === undefined) return void socket.destroy();
      fake.asked.push(question.questions[0]?.type ?? 0);
      for (const message of fake.answers(question)) {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(message.length);
        socket.write(Buffer.concat([length, message]));
      }
      socket.end();
    });
  });
  await new Promise<void>((resolve) => tcp.listen(port, "127.0.0.1", resolve));
  return Object.assign(fake, {
    async [Symbol.asyncDispose]() {
      udp.close();
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => tcp.close(resolve));
    },
  });
}

/** A transfer that answers any question with these records, in one message each. */
export function saying(...messages: (readonly Rr[])[]): FakePrimary["answers"] {
  return ({ id, questions: [question] }) =>
    messages.map((records) => part(id, question?.type ?? 0, records));
}
