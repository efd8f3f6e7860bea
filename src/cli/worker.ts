import { work } from "../app/worker.ts";

/** `tern worker`: what the supervisor starts. Ends by the supervisor's word, never by returning. */
export default function worker(): Promise<number> {
  work();
  return new Promise(() => {});
}
