import { actionForms } from "../admin/action-forms.ts";
import type { ActionForm, Changed } from "../admin/deps.ts";
import { check } from "../admin/run-action.ts";
import { isSecretName } from "../config/secrets-in.ts";
import type { Service } from "../services/service.ts";
import { told } from "./config-desk.ts";
import { byEdits } from "./running-text.ts";
import type { Supervisor } from "./supervisor.ts";

/** Each has its own Config. */
type Services = readonly Pick<Service<any>, "name" | "changes">[];

/** Most characters of an input that a history keeps. */
const MOST_CHARS = 200;

/** What may be changed while it runs, by service. */
export function changeForms(
  services: Services,
): Readonly<Record<string, Readonly<Record<string, ActionForm>>>> {
  const able = services.filter(({ changes }) => changes !== undefined);
  return Object.fromEntries(able.map(({ name, changes }) => [name, actionForms(changes)]));
}

/** Make a change that a service offers. Throws when there is none of this name. */
export async function makeChange(
  services: Services,
  supervisor: Supervisor,
  asked: { readonly service: string; readonly change: string; readonly input: unknown },
  who: string,
): Promise<Changed> {
  const { service, change, input } = asked;
  const changes = services.find(({ name }) => name === service)?.changes ?? {};
  const found = Object.hasOwn(changes, change) ? changes[change] : undefined;
  if (!found) throw new Error(`${service} has no change ${JSON.stringify(change)}`);
  const checked = check(found.input, input);
  if (checked.kind === "refused") return checked;
  const what = `${service} ${change} ${showInput(input)}`.trim();
  const edits = byEdits(who, what, (config) => found.edits(checked.value, config));
  return told(await supervisor.amend(edits), supervisor);
}

/** `pool=app host=two to=drain`, without secrets. */
export function showInput(input: unknown): string {
  if (typeof input !== "object" || input === null) return "";
  const pairs = Object.entries(input).map(([key, value]: [string, unknown]) => {
    if (isSecretName(key)) return `${key}=***`;
    return `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`;
  });
  const text = pairs.join(" ");
  return text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS - 1)}…` : text;
}
