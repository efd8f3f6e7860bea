/** socket(2): what kind, the same numbers on x86-64 and arm64. */
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;

/** Or-ed to it: SOCK_NONBLOCK | SOCK_CLOEXEC. */
export const SOCK_FLAGS = 0o2004000;
