import { explainError } from "../app/failure.ts";
import { work } from "../app/worker.ts";
import { EXIT } from "./exit.ts";
import { complain } from "./terminal.ts";

/** `tern worker`: what the supervisor starts. It ends by the supervisor's word. */
export default async function worker(): Promise<number> {
  try {
    work();
  } catch (error) {
    complain(`tern: ${explainError(error)}`);
    return EXIT.usage;
  }
  return new Promise(() => {});
}
