import type { ActionForm, Done } from "../admin/deps.ts";
import { changeForms } from "../app/changes.ts";
import { SERVICES } from "../app/services.ts";
import { closest } from "../core/suggest.ts";
import { type Answer, ask, reason } from "./client.ts";
import { DO_EXAMPLES } from "./do-examples.ts";
import { EXIT, Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { table } from "./table.ts";
import { complain, type Paint, painter, print, printJson } from "./terminal.ts";
import { fieldsOf, inputOf } from "./words.ts";

type Forms = Readonly<Record<string, ActionForm>>;

/** What may be asked of a service: changes are in force until a reload, and are saved. */
interface Offer {
  readonly actions: Forms;
  readonly changes: Forms;
}
type Offers = Readonly<Record<string, Offer>>;

type Options = Where & { json?: boolean; help?: boolean };

/** `tern do SERVICE NAME key=value…`: run an action or make a change. */
export default async function doIt(options: Options, ...args: string[]): Promise<number> {
  const [service, name, ...words] = args;
  if (options.help || service === undefined || name === undefined)
    return help(options, service, name);
  const offers = await offered(options);
  const offer = own(offers, service);
  if (!offer) throw new Exit(EXIT.usage, unknown("service", service, Object.keys(offers)));
  const all = { ...offer.actions, ...offer.changes };
  const form = own(all, name);
  if (!form) throw new Exit(EXIT.usage, unknown(`thing ${service} can do`, name, Object.keys(all)));
  const kind = Object.hasOwn(offer.changes, name) ? "changes" : "actions";
  const input = inputFor(words, form);
  const answer = await ask(options, "POST", `/api/v1/services/${service}/${kind}/${name}`, input);
  if (options.json) {
    printJson(answer.json);
    return answer.ok ? EXIT.ok : EXIT.failed;
  }
  if (!answer.ok) return refused(answer);
  if (kind === "changes") print(showDone(answer.json as Done));
  else if (answer.json !== null) printJson(answer.json);
  return EXIT.ok;
}

function inputFor(words: readonly string[], form: ActionForm): Record<string, unknown> {
  try {
    return inputOf(words, form.input);
  } catch (error) {
    throw new Exit(EXIT.usage, (error as Error).message);
  }
}

/** For people. */
function showDone({ changed, notes, unsaved }: Done): string {
  const what = changed.length === 0 ? "nothing to change" : `done: ${changed.join(", ")}`;
  const left = unsaved === 0 ? [] : [`${unsaved} not saved to the file: tern diff, tern save`];
  return [what, ...notes, ...left].join("\n");
}

function refused(answer: Answer): never {
  const { problems = [] } = answer.json as { problems?: readonly unknown[] };
  for (const problem of problems) complain(showProblem(problem));
  throw new Exit(EXIT.failed, reason(answer));
}

/** A sentence about the input, or a place in the config. */
function showProblem(problem: unknown): string {
  if (typeof problem === "string") return problem;
  const { path, message } = problem as { path: string; message: string };
  return `${path}: ${message}`;
}

function unknown(what: string, word: string, words: readonly string[]): string {
  const meant = closest(word, words);
  const hint =
    meant === undefined
      ? words.length === 0
        ? ""
        : `; there is ${words.join(", ")}`
      : `; did you mean ${meant}?`;
  return `no such ${what}: ${word}${hint}`;
}

async function offered(where: Where): Promise<Offers> {
  const [services, changes] = await Promise.all([
    ask(where, "GET", "/api/v1/services"),
    ask(where, "GET", "/api/v1/changes"),
  ]);
  for (const answer of [services, changes])
    if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
  const running = services.json as readonly { name: string; actions: Forms }[];
  const forms = changes.json as Readonly<Record<string, Forms>>;
  const names = new Set([...running.map(({ name }) => name), ...Object.keys(forms)]);
  return Object.fromEntries(
    [...names].map((name) => {
      const actions = running.find((one) => one.name === name)?.actions ?? {};
      return [name, { actions, changes: forms[name] ?? {} }];
    }),
  );
}

/** What there is to do: of the running tern, or what this program knows when none runs. */
async function help(options: Options, service?: string, name?: string): Promise<number> {
  const offers = await offered(options).catch((error: unknown) => {
    if (error instanceof Exit && error.code === EXIT.notRunning) return known();
    throw error;
  });
  const offer = service === undefined ? undefined : own(offers, service);
  if (service !== undefined && !offer)
    throw new Exit(EXIT.usage, unknown("service", service, Object.keys(offers)));
  const shown = offer && service !== undefined ? { [service]: offer } : offers;
  if (options.json) printJson(shown);
  else print(showOffers(shown, name, painter()));
  return EXIT.ok;
}

function known(): Offers {
  const forms = changeForms(SERVICES);
  return Object.fromEntries(
    Object.entries(forms).map(([name, changes]) => [name, { actions: {}, changes }]),
  );
}

/** Everything that may be asked, with what it takes. */
function showOffers(offers: Offers, only: string | undefined, paint: Paint): string {
  const lines = [
    "Usage: tern do [-c FILE] [--socket PATH] [--json] SERVICE NAME [key=value …]",
    "",
    "Changes are in force at once, in all workers; tern save writes them to the file.",
    "",
    "Examples:",
    DO_EXAMPLES.replaceAll(/^/gm, "  "),
  ];
  for (const [service, { actions, changes }] of Object.entries(offers)) {
    const all = [
      ...Object.entries(changes).map(([name, form]) => ({ name, form, kind: "change" })),
      ...Object.entries(actions).map(([name, form]) => ({ name, form, kind: "action" })),
    ].filter(({ name }) => only === undefined || name === only);
    for (const { name, form, kind } of all) {
      lines.push("", `${paint("bold", `tern do ${service} ${name}`)}  ${form.about} (${kind})`);
      const rows = fieldsOf(form.input).map((field) => [
        `  ${field.key}=${field.kind}`,
        field.required ? "" : "optional",
        field.about,
      ]);
      if (rows.length > 0) lines.push(...table([["", "", ""], ...rows]).slice(1));
    }
  }
  return lines.join("\n");
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
