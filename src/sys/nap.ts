import { openLibc } from "./libc.ts";

const libc = openLibc({ usleep: { args: ["u32"], returns: "i32" } });

/**
 * Let the thread sleep, and with it everything that runs in it, so that work piles up: for so many
 * microseconds and what the kernel's timer slack adds (50 by default, prctl(2)).
 */
export function nap(microseconds: number): void {
  libc.usleep(microseconds);
}
