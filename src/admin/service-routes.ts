import * as v from "valibot";

import { CHANGED, changedAnswer } from "./changed.ts";
import { type Call, type Content, fail, json, type Route } from "./route.ts";

const anything: Content["schema"] = { type: "object" };
const forms: Content["schema"] = {
  type: "object",
  additionalProperties: {
    type: "object",
    required: ["about", "input"],
    properties: { about: { type: "string" }, input: { description: "JSON Schema." } },
  },
};

/** What the services are asked. */
export const SERVICE_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/api/v1/services",
    summary: "The services that run, and what may be asked of them.",
    needs: "known",
    answers: { 200: { about: "One entry for each.", schema: { type: "array", items: anything } } },
    handle: ({ deps }) => {
      const changes = deps.changes();
      return json(
        deps.services().map(({ name, about, levels, actions }) => {
          return { name, about, levels, actions, changes: changes[name] ?? {} };
        }),
      );
    },
  },
  {
    method: "GET",
    path: "/api/v1/services/{service}/stats",
    summary: "Figures of one service, summed over all workers.",
    needs: "known",
    answers: {
      200: { about: "The figures.", schema: anything },
      404: { about: "No such service runs." },
    },
    handle: async ({ deps, param }) => {
      const service = deps.services().find((s) => s.name === param("service"));
      return service ? json(await service.stats()) : noService();
    },
  },
  {
    method: "POST",
    path: "/api/v1/services/{service}/actions/{action}",
    summary: "Ask something of a service.",
    needs: "change",
    input: v.unknown(),
    answers: {
      200: { about: "Its answer.", schema: {} },
      400: { about: "The input does not fit; `problems` says where." },
      404: { about: "No such service or action." },
      500: { about: "It failed; `message` says why." },
    },
    handle: act,
  },
  {
    method: "GET",
    path: "/api/v1/changes",
    summary: "What may be changed while it runs, by service, whether its section is there or not.",
    needs: "known",
    answers: {
      200: {
        about: "By service, by change.",
        schema: { type: "object", additionalProperties: forms },
      },
    },
    handle: ({ deps }) => json(deps.changes()),
  },
  {
    method: "POST",
    path: "/api/v1/services/{service}/changes/{change}",
    summary: "Change the running config: in force at once, in all workers; in the file when saved.",
    needs: "change",
    input: v.unknown(),
    answers: { ...CHANGED, 404: { about: "No such service or change." } },
    handle: change,
  },
];

async function act({ deps, param, input, note }: Call): Promise<Response> {
  const service = deps.services().find((s) => s.name === param("service"));
  if (!service) return noService();
  const action = param("action");
  if (!Object.hasOwn(service.actions, action)) {
    return fail(404, "no_action", `${service.name} has no such action`);
  }
  note("action", { service: service.name, action });
  try {
    const ran = await deps.run(service.name, action, input);
    if (ran.kind === "done") return json(ran.value);
    return fail(400, "bad_input", "the input does not fit", { problems: ran.problems });
  } catch (error) {
    deps.log.error("an action failed", { service: service.name, action, error });
    return fail(500, "action_failed", error instanceof Error ? error.message : String(error));
  }
}

async function change({ deps, param, input, who, note }: Call): Promise<Response> {
  const all = deps.changes();
  const [service, name] = [param("service"), param("change")];
  const own = Object.hasOwn(all, service) ? all[service] : undefined;
  if (!own) return fail(404, "no_service", "there is no such service");
  if (!Object.hasOwn(own, name)) return fail(404, "no_change", `${service} has no such change`);
  const changed = await deps.change(service, name, input, who);
  note("change", { service, change: name, ok: changed.kind === "done" }, "quietly");
  return changedAnswer(changed);
}

function noService(): Response {
  return fail(404, "no_service", "no such service runs");
}
