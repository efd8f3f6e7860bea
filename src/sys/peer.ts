import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";
import { parse, SOCKADDR_MAX, type SocketAddress } from "./sockaddr.ts";

const libc = openLibc({ getpeername: { args: ["i32", "ptr", "ptr"], returns: "i32" } });
const name = block(SOCKADDR_MAX);
const length = block(4);

/** Whom a connected socket talks to; undefined when it is no longer connected. */
export function peerOf(fd: number): SocketAddress | undefined {
  length.view.setUint32(0, SOCKADDR_MAX, true);
  if (libc.getpeername(fd, pointer(name.at), pointer(length.at)) < 0) return undefined;
  return parse(name.bytes.subarray(0, length.view.getUint32(0, true)));
}
