import { showName } from "../../../wire/dns/name.ts";
import { showType } from "../../../wire/dns/types.ts";
import type { ComputedName } from "./computed-name.ts";
import type { Manual, Member } from "./member.ts";

/** One record, as `tern dns status` shows it. Plain JSON. */
export interface MemberStatus {
  readonly record: string;
  readonly type: string;
  readonly weight: number;
  /** `unwatched`: nobody looks. */
  readonly health: "up" | "down" | "unknown" | "unwatched";
  /** Since when, in milliseconds since 1970. */
  readonly since: number | null;
  readonly why: string;
  /** What an operator has decided; it stands above health. */
  readonly manual: Manual | null;
  /** Given to clients now. */
  readonly given: boolean;
}

/** One computed name. */
export interface NameStatus {
  readonly name: string;
  /** Which tier is answered, from 1; 0: nobody is alive. */
  readonly tier: number;
  readonly outcome: string;
  readonly ttl: number | null;
  readonly members: readonly MemberStatus[];
}

/** How a name is now; by place there may be other tiers. */
export function statusOf({ name, shown, members }: ComputedName): NameStatus {
  const given = new Set(shown.sets.flatMap((set) => set.members));
  return {
    name: showName(name),
    tier: shown.tier + 1,
    outcome: shown.outcome,
    ttl: shown.sets[0]?.ttl ?? null,
    members: members.map((one) =>
      memberStatus(
        one,
        one.records.some((record) => given.has(record)),
      ),
    ),
  };
}

function memberStatus(member: Member, given: boolean): MemberStatus {
  const { config, verdict, manual } = member;
  return {
    record: config.label,
    type: showType(config.type),
    weight: config.weight,
    health: verdict?.state ?? "unwatched",
    since: verdict?.since ?? null,
    why: verdict?.why ?? "",
    manual: manual ?? null,
    given,
  };
}
