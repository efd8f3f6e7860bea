import { adminApp } from "../../src/admin/app.ts";
import type { Caller } from "../../src/admin/deps.ts";
import { fakeDeps } from "../admin/fake-deps.ts";
import { type Model, model } from "./console-model.ts";

/** The admin API over a made-up appliance: whatever the console can show, without traffic. */
export interface FakeApi extends AsyncDisposable {
  readonly url: string;
  readonly model: Model;
  /** What was changed, as `pools state {"pool":…}`. */
  readonly done: readonly string[];
  /** End every session, as their running out does. */
  expire(): void;
  /** Break every line that is open, and refuse new ones until called with false. */
  cut(broken: boolean): void;
}

const CALLER: Caller = {
  listener: { kind: "tcp", host: "127.0.0.1", port: 0 },
  client: "127.0.0.1",
  secure: false,
};
const SECOND = 1000;

/** Logging in is the real thing: ann may change, bob may look (see fake-deps). */
export function fakeApi(port = 0): FakeApi {
  const appliance = model();
  const done: string[] = [];
  const { deps } = fakeDeps();
  let expired = false;
  const app = adminApp({
    ...deps,
    access: () => (expired ? { users: [], hosts: [] } : deps.access()),
  });
  let broken = false;
  const lines = new Set<ReadableStreamDefaultController<string>>();
  const send = (event: string, data: unknown): void => {
    for (const line of lines) line.enqueue(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const timer = setInterval(() => {
    appliance.tick();
    send("stats", appliance.figures());
  }, SECOND);

  const say = (level: string, message: string, more: object = {}): void => {
    send("log", appliance.log(level, message, more));
  };

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const own = /^\/api\/v1\/(status|services|changes|log|events|config|users)\b/.test(pathname);
      if (!own) return app.fetch(request, CALLER);
      const headers = new Headers(request.headers);
      const me = await app.fetch(
        new Request(new URL("/api/v1/me", request.url), { headers }),
        CALLER,
      );
      if (me.status !== 200) return me;
      const { access, name } = (await me.json()) as { access: string; name: string };
      if (request.method !== "GET" && access !== "full" && !pathname.endsWith("/check"))
        return Response.json(
          { error: "readonly", message: `${name} may look, not change` },
          { status: 403 },
        );
      return answer(request, pathname.replace("/api/v1/", ""), name);
    },
  });

  async function answer(request: Request, path: string, user: string): Promise<Response> {
    const body = request.method === "GET" ? "" : await request.text();
    const input = body === "" ? {} : (JSON.parse(body) as Record<string, string>);
    const [root, service, kind, name] = path.split("/").map(decodeURIComponent);
    const refuse = (error: unknown): Response =>
      Response.json(
        { error: "refused", message: error instanceof Error ? error.message : String(error) },
        { status: 422 },
      );
    if (path === "events") return events();
    if (path === "status") return Response.json(appliance.figures().status);
    if (path === "services") return Response.json(appliance.services());
    if (path === "changes") return Response.json(appliance.changes());
    if (path === "log") return Response.json(appliance.entries());
    if (path === "config/check")
      return Response.json({ problems: appliance.check(input["text"] ?? "") });
    if (path === "config/diff") return new Response(appliance.diff());
    if (path === "config/save") {
      appliance.save();
      say("info", "config saved", { user });
      return Response.json({});
    }
    if (path === "config") {
      if (request.method === "GET") return new Response(appliance.text());
      const problems = appliance.put(input["text"] ?? "");
      if (problems.length > 0)
        return Response.json(
          { error: "bad_config", message: "the config is wrong; nothing has changed", problems },
          { status: 422 },
        );
      say("info", "config put in force", { user });
      return Response.json({ changed: ["web"] });
    }
    if (root === "users") {
      if (service === undefined) return Response.json(appliance.users());
      appliance.user(service, request.method === "DELETE" ? undefined : input);
      say("info", "users changed", { user, name: service });
      return new Response(null, { status: 204 });
    }
    if (root === "services" && service && name && (kind === "changes" || kind === "actions")) {
      done.push(`${service} ${name} ${JSON.stringify(input)}`);
      try {
        const value = appliance.ask(service, name, input);
        say("info", kind === "changes" ? "change" : "action", { user, service, name, ...input });
        return Response.json(value ?? null);
      } catch (error) {
        return refuse(error);
      }
    }
    return new Response(null, { status: 404 });
  }

  function events(): Response {
    if (broken) return new Response(null, { status: 503 });
    let line: ReadableStreamDefaultController<string> | undefined;
    const stream = new ReadableStream<string>({
      start(controller) {
        line = controller;
        lines.add(controller);
        controller.enqueue(`event: stats\ndata: ${JSON.stringify(appliance.figures())}\n\n`);
      },
      cancel() {
        if (line) lines.delete(line);
      },
    });
    return new Response(stream.pipeThrough(new TextEncoderStream()), {
      headers: { "Content-Type": "text/event-stream" },
    });
  }

  function close(): void {
    for (const line of lines) line.close();
    lines.clear();
  }

  return {
    url: server.url.origin,
    model: appliance,
    done,
    expire() {
      expired = true;
      close();
    },
    cut(now) {
      broken = now;
      if (now) close();
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await server.stop(true);
    },
  };
}
