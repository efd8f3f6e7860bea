import type { AdminAccess } from "./deps.ts";

type Users = AdminAccess["users"];

/** Would nobody be left who may change anything by the network, where somebody was before? */
export function losesLastUser(before: Users, after: Users): boolean {
  return before.some(isFull) && !after.some(isFull);
}

function isFull({ access }: Users[number]): boolean {
  return access === "full";
}
