import type { Fallen } from "./fan-out.ts";
import { MemberError, type Trouble } from "./members/member.ts";
import type { Version } from "./record.ts";

/** What became of a write. */
export type Written<V extends Version = Version> =
  /** Enough members have it. */
  | { readonly kind: "kept"; readonly version: V; readonly before: Version | undefined }
  /** `may` has said no. */
  | { readonly kind: "no" }
  /** Too few members did what was asked of them, mostly because of this. */
  | { readonly kind: "too-few"; readonly trouble: Trouble; readonly why: string };

/** What a quota has no room for. */
export const OVER = { kind: "too-few", trouble: "quota", why: "the quota is used up" } as const;

/** What the client is told: that it is full or impossible only where nobody was merely away. */
export function tooFew(fallen: readonly Pick<Fallen, "error">[]): {
  kind: "too-few";
  trouble: Trouble;
  why: string;
} {
  const troubles = fallen.map(({ error }) =>
    error instanceof MemberError ? error.trouble : "failed",
  );
  const order: readonly Trouble[] = ["too-long", "conflict", "full", "refused", "away", "failed"];
  const trouble = order.find((one) => troubles.includes(one)) ?? "away";
  const why = fallen
    .map(({ error }) => (error instanceof Error ? error.message : String(error)))
    .join("; ");
  return { kind: "too-few", trouble, why };
}
