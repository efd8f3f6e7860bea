import { type Block, block } from "../../sys/memory.ts";

// Opcodes of linux/bpf.h and bpf_common.h.
const MOV_REG = 0xbf;
const MOV_IMM = 0xb7;
const ADD_REG = 0x0f;
const ADD_IMM = 0x07;
const LOAD_32 = 0x61;
const LOAD_64 = 0x79;
const STORE_32 = 0x63;
const STORE_64 = 0x7b;
const LOAD_IMM_64 = 0x18;
const JUMP_IF_ZERO = 0x15; // JEQ with an immediate
const JUMP_NOT_EQUAL = 0x5d;
const JUMP_GREATER = 0x2d;
const CALL = 0x85;
const EXIT = 0x95;

// Helpers by their numbers in enum bpf_func_id.
const MAP_LOOKUP = 1;
const GET_SOCKET_COOKIE = 46;
const SK_REDIRECT_HASH = 72;
const PSEUDO_MAP_FD = 1;
const SK_DROP = 0;
const SK_PASS = 1;

type Instruction = readonly [op: number, to: number, from: number, offset: number, value: number];

export interface VerdictMaps {
  /** Cookie of a socket → its peer. */
  readonly sockets: number;
  /** Cookie of a socket → its row in the ledger. */
  readonly rows: number;
  /** u64 passed, resumeAt, limit, redirected. */
  readonly ledger: number;
}

/**
 * What becomes of each segment (SK_SKB verdict):
 *
 *     if len == 0: DROP; a bare FIN, which redirected breaks the peer (EPIPE)
 *     row = ledger[rows[cookie]], or PASS
 *     if passed == resumeAt and redirected + len <= limit:
 *       redirected += len; REDIRECT to sockets[cookie]
 *     passed += len; PASS
 *
 * `passed` only equals `resumeAt` when user space has read everything that was passed: bytes never
 * overtake each other. Calls for one socket come one after another, so plain loads and stores do.
 */
export function verdict({ sockets, rows, ledger }: VerdictMaps): Block {
  const program: Instruction[] = [
    [MOV_REG, 6, 1, 0, 0], // r6 = the segment
    [LOAD_32, 8, 6, 0, 0], // r8 = len
    [JUMP_IF_ZERO, 8, 0, 37, 0], // → drop
    [CALL, 0, 0, 0, GET_SOCKET_COOKIE],
    [STORE_64, 10, 0, -8, 0], // fp[-8] = cookie
    ...lookup(rows, -8),
    [JUMP_IF_ZERO, 0, 0, 27, 0], // → pass
    [LOAD_32, 1, 0, 0, 0],
    [STORE_32, 10, 1, -12, 0], // fp[-12] = row
    ...lookup(ledger, -12),
    [JUMP_IF_ZERO, 0, 0, 19, 0], // → pass
    [MOV_REG, 7, 0, 0, 0], // r7 = the ledger's row
    [LOAD_64, 1, 7, 0, 0], // r1 = passed
    [LOAD_64, 2, 7, 8, 0],
    [JUMP_NOT_EQUAL, 1, 2, 13, 0], // → hold
    [LOAD_64, 3, 7, 24, 0],
    [ADD_REG, 3, 8, 0, 0], // r3 = redirected + len
    [LOAD_64, 4, 7, 16, 0],
    [JUMP_GREATER, 3, 4, 9, 0], // → hold
    [STORE_64, 7, 3, 24, 0],
    [MOV_REG, 1, 6, 0, 0],
    ...mapInto(2, sockets),
    [MOV_REG, 3, 10, 0, 0],
    [ADD_IMM, 3, 0, 0, -8],
    [MOV_IMM, 4, 0, 0, 0],
    [CALL, 0, 0, 0, SK_REDIRECT_HASH],
    [EXIT, 0, 0, 0, 0],
    [ADD_REG, 1, 8, 0, 0], // hold: passed += len
    [STORE_64, 7, 1, 0, 0],
    [MOV_IMM, 0, 0, 0, SK_PASS], // pass:
    [EXIT, 0, 0, 0, 0],
    [MOV_IMM, 0, 0, 0, SK_DROP], // drop:
    [EXIT, 0, 0, 0, 0],
  ];
  const code = block(program.length * 8);
  for (const [i, [op, to, from, offset, value]] of program.entries()) {
    code.view.setUint8(8 * i, op);
    code.view.setUint8(8 * i + 1, to | (from << 4));
    code.view.setInt16(8 * i + 2, offset, true);
    code.view.setInt32(8 * i + 4, value, true);
  }
  return code;
}

/** r0 = address of the value in `map` under the key at fp[at], or 0. */
function lookup(map: number, at: number): Instruction[] {
  return [
    ...mapInto(1, map),
    [MOV_REG, 2, 10, 0, 0],
    [ADD_IMM, 2, 0, 0, at],
    [CALL, 0, 0, 0, MAP_LOOKUP],
  ];
}

/** A map's address, by its descriptor: two instructions long. */
function mapInto(register: number, map: number): Instruction[] {
  return [
    [LOAD_IMM_64, register, PSEUDO_MAP_FD, 0, map],
    [0, 0, 0, 0, 0],
  ];
}
