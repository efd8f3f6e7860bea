import { bundle } from "./bundle.ts" with { type: "macro" };

/** The console, made at compile time. Imported when it is first asked for: a start need not wait for it. */
export const packed = bundle();
