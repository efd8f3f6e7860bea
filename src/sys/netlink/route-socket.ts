import { FFIType } from "bun:ffi";

import { errno, errnoName, SysError } from "../errno.ts";
import { openLibc } from "../libc.ts";
import { address, block, pointer } from "../memory.ts";
import { SOCK_FLAGS, SOCK_RAW } from "../socket-types.ts";
import { close } from "../socket.ts";
import { attributes, emit, type Message, messages, readText } from "./message.ts";

const libc = openLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  send: { args: ["i32", "ptr", "usize", "i32"], returns: FFIType.i64_fast },
  recv: { args: ["i32", "ptr", "usize", "i32"], returns: FFIType.i64_fast },
});

const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const MSG_TRUNC = 0x20;

const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
/** To be told everything there is: NLM_F_ROOT | NLM_F_MATCH. */
const NLM_F_DUMP = 0x300;
/** Of an answer: something changed between its parts. */
const NLM_F_DUMP_INTR = 0x10;
/** Of an error: the kernel said more. */
const NLM_F_ACK_TLVS = 0x200;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLMSGERR_ATTR_MSG = 1;
/** Behind an error number is the header that we sent (NETLINK_CAP_ACK), then attributes. */
const ERROR_HEAD = 4 + 16;

/** The kernel's parts of an answer are 32 KB at most (netlink(7)); one that is longer throws. */
const ROOM = 64 * 1024;
/** How often everything is asked again when it changed meanwhile. */
const TRIES = 5;

/** A question to the kernel's routing: what it is called in an error, and its message. */
export interface Question {
  /** `RTM_NEWROUTE 10.0.0.0/8`: of which call, on what. */
  readonly call: string;
  readonly on: string;
  readonly type: number;
  /** NLM_F_CREATE and others, besides NLM_F_REQUEST. */
  readonly flags?: number;
  readonly head: Uint8Array;
  readonly attributes?: readonly (readonly [type: number, bytes: Uint8Array | undefined])[];
}

/**
 * rtnetlink(7) of the network namespace in which the socket is made. The kernel answers before the
 * question's system call returns, so nothing here waits. Failures are SysErrors: the errno, and what
 * the kernel says besides.
 */
export class RouteSocket {
  readonly #fd: number;
  readonly #in = block(ROOM);
  #sequence = 0;

  constructor() {
    this.#fd = libc.socket(AF_NETLINK, SOCK_RAW | SOCK_FLAGS, NETLINK_ROUTE);
    if (this.#fd < 0) throw new SysError("socket", errno(), "AF_NETLINK");
    const on = block(4);
    on.view.setInt32(0, 1, true);
    // Old kernels have none of these, and say and filter less.
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK])
      libc.setsockopt(this.#fd, SOL_NETLINK, option, pointer(on.at), on.bytes.length);
  }

  /** Have it done. */
  command(question: Question): void {
    this.#ask(question, NLM_F_ACK);
  }

  /** The one answer. */
  get(question: Question): Message {
    const [answer] = this.#ask(question, NLM_F_ACK).found;
    if (answer === undefined) throw new SysError(question.call, "ENODATA", question.on);
    return answer;
  }

  /** Everything of a kind. Its bodies are copies. */
  dump(question: Question): Message[] {
    for (let i = 1; ; i++) {
      const { found, interrupted } = this.#ask(question, NLM_F_DUMP);
      if (!interrupted || i === TRIES) return found;
    }
  }

  close(): void {
    close(this.#fd);
  }

  #ask(question: Question, flags: number): { found: Message[]; interrupted: boolean } {
    const { call, on } = question;
    this.#sequence = (this.#sequence + 1) >>> 0;
    const sequence = this.#sequence;
    const bytes = emit(
      { type: question.type, flags: NLM_F_REQUEST | flags | (question.flags ?? 0), sequence },
      question.head,
      question.attributes ?? [],
    );
    if (Number(libc.send(this.#fd, pointer(address(bytes)), bytes.length, 0)) < 0)
      throw new SysError(call, errno(), on);

    const found: Message[] = [];
    let interrupted = false;
    for (;;)
      for (const message of this.#receive(call, on)) {
        if (message.sequence !== sequence) continue; // the rest of an answer we gave up
        if ((message.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
        if (message.type === NLMSG_DONE) return { found, interrupted };
        if (message.type !== NLMSG_ERROR) {
          found.push({ ...message, body: message.body.slice() });
          continue;
        }
        const failure = failureOf(message);
        if (failure !== undefined)
          throw new SysError(
            call,
            failure.code,
            failure.said === "" ? on : `${on} (${failure.said})`,
          );
        return { found, interrupted };
      }
  }

  #receive(call: string, on: string): Message[] {
    const n = Number(libc.recv(this.#fd, pointer(this.#in.at), ROOM, MSG_TRUNC));
    if (n < 0) throw new SysError(call, errno(), on);
    const received = n > ROOM ? undefined : messages(this.#in.bytes.subarray(0, n));
    if (received === undefined) throw new SysError(call, "EPROTO", on);
    return received;
  }
}

/** Undefined for an acknowledgement: an error with number 0. */
function failureOf({ body, flags }: Message): { code: string; said: string } | undefined {
  if (body.length < 4) return { code: "EPROTO", said: "" };
  const number = new DataView(body.buffer, body.byteOffset).getInt32(0, true);
  if (number === 0) return undefined;
  const more = (flags & NLM_F_ACK_TLVS) === 0 ? undefined : attributes(body.subarray(ERROR_HEAD));
  return { code: errnoName(-number), said: readText(more?.get(NLMSGERR_ATTR_MSG)) };
}
