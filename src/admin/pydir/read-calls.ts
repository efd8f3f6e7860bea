import type { PydirCall, Reading } from "./call.ts";
import { html, STYLE } from "./html.ts";
import { indexPage, runningPage } from "./pages.ts";
import { runningText } from "./running-txt.ts";
import { running } from "./running.ts";
import { xmlOf } from "./xml.ts";

/** Calls that change nothing; `""` is `/pydir/` itself. */
export const READ_CALLS: Readonly<Record<string, Reading>> = {
  "": async ({ deps }) => html(await indexPage(deps.version)),
  running: async (call) =>
    html(
      await runningPage(await running(call.deps), {
        version: call.deps.version,
        mayChange: call.mayChange,
        message: call.maybe("resultmessage"),
        refresh: call.maybe("refresh") !== undefined,
      }),
    ),
  "running.txt": async ({ deps }) => text(runningText(await running(deps)), "text/plain"),
  "running.xml": ({ deps, mayChange }) =>
    text(xmlOf(deps.config.written(), deps.access(), mayChange), "text/xml"),
  "config.xml": ({ deps, mayChange }: PydirCall) =>
    text(xmlOf(deps.config.filed(), deps.access(), mayChange), "text/xml"),
  "pydirector.css": () => text(STYLE, "text/css"),
};

function text(body: string, type: string): Response {
  return new Response(body, { headers: { "Content-Type": `${type}; charset=utf-8` } });
}
