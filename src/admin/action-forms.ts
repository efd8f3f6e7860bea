import type { Action } from "../services/service.ts";
import type { ActionForm } from "./deps.ts";
import { form } from "./form.ts";

/** What an operator may ask or change, as plain JSON. Called where the instance lives. */
export function actionForms(
  // oxlint-disable-next-line typescript/no-explicit-any -- each has its own input; its schema makes it
  actions: Readonly<Record<string, Pick<Action<any>, "about" | "input">>> = {},
): Record<string, ActionForm> {
  return Object.fromEntries(
    Object.entries(actions).map(([name, { about, input }]) => [
      name,
      { about, input: form(input) },
    ]),
  );
}
