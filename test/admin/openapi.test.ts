import { expect, test } from "bun:test";

import { Validator } from "@seriousme/openapi-schema-validator";

import { adminApp } from "../../src/admin/app.ts";
import { ROUTES } from "../../src/admin/routes.ts";
import { caller, fakeDeps } from "./fake-deps.ts";

type Operation = {
  operationId: string;
  security: object[];
  requestBody?: unknown;
  summary: string;
};
type Document = { openapi: string; paths: Record<string, Record<string, Operation>> };

async function fetched(): Promise<Document> {
  const app = adminApp(fakeDeps().deps);
  const response = await app.request("/api/v1/openapi.json", {}, caller("unix"));
  return (await response.json()) as Document;
}

test("it is valid OpenAPI 3.1", async () => {
  const result = await new Validator().validate(await fetched());
  expect(result).toEqual({ valid: true });
  expect((await fetched()).openapi).toStartWith("3.1.");
});

test("every route is in it, and nothing else but the actions and changes there are", async () => {
  const { paths } = await fetched();
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const routes = ROUTES.map(({ method, path }) => `${method} ${path}`);
  const own = [
    "POST /api/v1/services/web/actions/purge",
    "POST /api/v1/services/pools/changes/state",
  ];
  expect(described.sort()).toEqual([...routes, ...own].sort());
});

test("each operation has a name of its own", async () => {
  const names = Object.values((await fetched()).paths).flatMap((methods) =>
    Object.values(methods).map((o) => o.operationId),
  );
  expect(new Set(names).size).toBe(names.length);
});

test("an action is described by its own schema", async () => {
  const purge = (await fetched()).paths["/api/v1/services/web/actions/purge"]?.post;
  expect(purge?.summary).toBe("Forget what is cached.");
  expect(purge?.requestBody).toMatchObject({
    content: {
      "application/json": {
        schema: {
          type: "object",
          additionalProperties: false,
          properties: { older: { default: "1h" }, path: { type: "string" } },
        },
      },
    },
  });
});
