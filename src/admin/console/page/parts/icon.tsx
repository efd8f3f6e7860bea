import type { JSX } from "preact";

/** Shapes that differ without colour. 16 by 16, in the colour of the text around them. */
const PATHS = {
  up: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13Zm3.3 3.9L7 9.7 4.9 7.6 3.8 8.7 7 11.9l5.4-5.4z",
  down: "M5 1.5h6L14.5 5v6L11 14.5H5L1.5 11V5zm.4 2.8L4.3 5.4 6.9 8l-2.6 2.6 1.1 1.1L8 9.1l2.6 2.6 1.1-1.1L9.1 8l2.6-2.6-1.1-1.1L8 6.9z",
  warn: "M8 1.2 15.3 14H.7zM7.2 5.8v4h1.6v-4zm0 5.2v1.6h1.6V11z",
  drain:
    "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13Zm-.8 2.8v4.1L5.4 6.7 4.3 7.8 8 11.5l3.7-3.7-1.1-1.1-1.8 1.7V4.3z",
  off: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13ZM4.5 7.2v1.6h7V7.2z",
  unknown:
    "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13Zm0 1.5a5 5 0 1 0 0 10A5 5 0 0 0 8 3Zm-.8 7.5h1.6V12H7.2zM8 4.2c1.4 0 2.4.9 2.4 2.1 0 1.5-1.6 1.8-1.6 3H7.2c0-1.9 1.6-2.1 1.6-3 0-.4-.3-.7-.8-.7s-.9.3-.9.8H5.6c0-1.3 1-2.2 2.4-2.2Z",
  info: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13ZM7.2 7v5h1.6V7zm0-3v1.6h1.6V4z",
  menu: "M2 3.5h12V5H2zm0 3.75h12v1.5H2zM2 11h12v1.5H2z",
  close: "m4 2.9 4 4 4-4L13.1 4l-4 4 4 4-1.1 1.1-4-4-4 4L2.9 12l4-4-4-4z",
  sun: "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM7.3.5h1.4v2.3H7.3zm0 12.7h1.4v2.3H7.3zM.5 7.3h2.3v1.4H.5zm12.7 0h2.3v1.4h-2.3zM2.2 3.2l1-1 1.6 1.6-1 1zm9 9 1-1 1.6 1.6-1 1zm1.6-10 1 1-1.6 1.6-1-1zm-9 9 1 1-1.6 1.6-1-1z",
  moon: "M6.2 1.6A6.5 6.5 0 1 0 14.4 9.8 5.6 5.6 0 0 1 6.2 1.6Z",
  auto: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13ZM8 3v10A5 5 0 0 0 8 3Z",
  more: "M3 6.6a1.4 1.4 0 1 1 0 2.8 1.4 1.4 0 0 1 0-2.8Zm5 0a1.4 1.4 0 1 1 0 2.8 1.4 1.4 0 0 1 0-2.8Zm5 0a1.4 1.4 0 1 1 0 2.8 1.4 1.4 0 0 1 0-2.8Z",
  add: "M7.25 2.5h1.5v4.75h4.75v1.5H8.75v4.75h-1.5V8.75H2.5v-1.5h4.75z",
  search:
    "M6.8 2a4.8 4.8 0 0 1 3.8 7.7l3.5 3.4-1.1 1.1-3.4-3.5A4.8 4.8 0 1 1 6.8 2Zm0 1.5a3.3 3.3 0 1 0 0 6.6 3.3 3.3 0 0 0 0-6.6Z",
  overview: "M2 2h5v6H2zm7 0h5v4H9zM2 10h5v4H2zm7-2h5v6H9z",
  pools: "M2 2.5h12v3H2zm0 4h12v3H2zm0 4h12v3H2z",
  balance:
    "M1.5 7.25h4L9 3.5h3V2l2.8 2.25L12 6.5V5H9.7L7 8l2.7 3H12V9.5l2.8 2.25L12 14v-1.5H9L5.5 8.75h-4z",
  service:
    "M8 1.5 14 5v6l-6 3.5L2 11V5zm0 1.7L4.3 5.4 8 7.5l3.7-2.1zM3.5 6.6v3.5l3.7 2.2V8.7zm9 0L8.8 8.7v3.6l3.7-2.2z",
  events: "M2 3h2v2H2zm4 0h8v2H6zM2 7h2v2H2zm4 0h8v2H6zm-4 4h2v2H2zm4 0h8v2H6z",
  config: "M5.2 4 1.5 8l3.7 4 1.1-1-2.7-3 2.7-3zm5.6 0L9.7 5l2.7 3-2.7 3 1.1 1 3.7-4z",
  users: "M8 2a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM2 14c0-3 2.5-5 6-5s6 2 6 5z",
  out: "M2 2h6v1.5H3.5v9H8V14H2zm8.2 2.4L13.8 8l-3.6 3.6-1-1 1.8-1.9H6V7.3h5L9.2 5.4z",
} as const;

export type IconName = keyof typeof PATHS;

/** An ornament: what it means stands beside it in words. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill-rule="evenodd" />
    </svg>
  );
}

/** The bird. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" />
      <path d="M3 12c6-2 9 0 12 4 3-6 7-9 14-9-5 3-8 7-10 12 2 2 4 4 8 6-6 0-9-1-12-4-3 0-5-1-6-3 0-3-2-5-6-6z" />
    </svg>
  );
}
