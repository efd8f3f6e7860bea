import { FFIType, toArrayBuffer } from "bun:ffi";

import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { type Block, block, pointer } from "./memory.ts";

const libc = openLibc({
  syscall: {
    args: ["i64", "i64", "ptr", "i64", "i64", "i64"],
    returns: FFIType.i64_fast,
  },
  mmap: { args: ["ptr", "usize", "i32", "i32", "i32", "i64"], returns: FFIType.i64_fast },
  munmap: { args: ["i64", "usize"], returns: "i32" },
});

/** bpf(2) has no wrapper in libc. */
const SYS_BPF = process.arch === "arm64" ? 280 : 321;

// enum bpf_cmd, bpf_map_type, bpf_prog_type, bpf_attach_type (linux/bpf.h)
const MAP_CREATE = 0;
const MAP_UPDATE = 2;
const MAP_DELETE = 3;
const PROG_LOAD = 5;
const PROG_ATTACH = 8;
const PROG_TYPE_SK_SKB = 14;
/** What becomes of a segment that a socket in the map got. */
const SK_SKB_VERDICT = 38;

export const MAP_TYPES = { hash: 1, array: 2, sockhash: 18 } as const;
/** BPF_F_MMAPABLE: an array that the process sees as memory. */
export const MMAPABLE = 1 << 10;

/** union bpf_attr; what is left at 0 is not there for older kernels. */
const ATTR_SIZE = 128;
const attr = block(ATTR_SIZE);

export interface MapSpec {
  readonly type: keyof typeof MAP_TYPES;
  readonly keySize: number;
  readonly valueSize: number;
  readonly entries: number;
  readonly flags?: number;
}

/** The descriptor of a new map. Throws SysError: EPERM without CAP_BPF and CAP_NET_ADMIN. */
export function createMap({ type, keySize, valueSize, entries, flags = 0 }: MapSpec): number {
  const { view } = fresh();
  view.setUint32(0, MAP_TYPES[type], true);
  view.setUint32(4, keySize, true);
  view.setUint32(8, valueSize, true);
  view.setUint32(12, entries, true);
  view.setUint32(16, flags, true);
  return must(MAP_CREATE, `map ${type}`);
}

/** Put a value under a key; of a map of sockets the value is a descriptor. False when the kernel refuses. */
export function updateMap(map: number, key: Block, value: Block): boolean {
  const { view } = fresh();
  view.setUint32(0, map, true);
  view.setBigUint64(8, BigInt(key.at), true);
  view.setBigUint64(16, BigInt(value.at), true);
  return call(MAP_UPDATE) === 0;
}

export function deleteFromMap(map: number, key: Block): void {
  const { view } = fresh();
  view.setUint32(0, map, true);
  view.setBigUint64(8, BigInt(key.at), true);
  call(MAP_DELETE);
}

/** An array map made with MMAPABLE, as memory; it stays mapped for as long as this process lives. */
export function mapMemory(map: number, bytes: number): ArrayBuffer {
  const [readWrite, shared] = [3, 1];
  const at = Number(libc.mmap(pointer(0), bytes, readWrite, shared, map, 0));
  if (at < 0) throw new SysError("mmap", errno(), `bpf map ${map}`);
  return toArrayBuffer(pointer(at), 0, bytes);
}

const LOG_SIZE = 64 * 1024;

/** Load a program of instructions of 8 bytes each as SK_SKB verdict of the sockets in `map`. Throws SysError. */
export function attachVerdict(map: number, program: Block): number {
  const license = block(4);
  license.bytes.set([0x47, 0x50, 0x4c, 0]); // "GPL": sk_redirect_hash is for such only
  const log = block(LOG_SIZE);
  const { view } = fresh();
  view.setUint32(0, PROG_TYPE_SK_SKB, true);
  view.setUint32(4, program.bytes.length / 8, true);
  view.setBigUint64(8, BigInt(program.at), true);
  view.setBigUint64(16, BigInt(license.at), true);
  view.setUint32(24, 1, true);
  view.setUint32(28, LOG_SIZE, true);
  view.setBigUint64(32, BigInt(log.at), true);
  view.setUint32(68, SK_SKB_VERDICT, true);
  const said = (): string => {
    const text = new TextDecoder().decode(log.bytes.subarray(0, log.bytes.indexOf(0)));
    return text.trim().split("\n").slice(-3).join("; ");
  };
  const fd = call(PROG_LOAD);
  if (fd < 0) throw new SysError("bpf", errno(), `program: ${said()}`);
  const attach = fresh().view;
  attach.setUint32(0, map, true);
  attach.setUint32(4, fd, true);
  attach.setUint32(8, SK_SKB_VERDICT, true);
  must(PROG_ATTACH, "verdict");
  return fd;
}

function fresh(): Block {
  attr.bytes.fill(0);
  return attr;
}

function call(command: number): number {
  return Number(libc.syscall(SYS_BPF, command, pointer(attr.at), ATTR_SIZE, 0, 0));
}

function must(command: number, on: string): number {
  const n = call(command);
  if (n < 0) throw new SysError("bpf", errno(), on);
  return n;
}
