import { block } from "../../sys/memory.ts";

/** Every plain session of the thread reads into it; nothing in it lasts beyond `feed`. */
export const READ = block(128 * 1024);
