import type { Problem } from "../../problem.ts";
import { readAdmin } from "./admin.ts";
import { type Admin, CHECKTIME_S, type Director, type Service } from "./director.ts";
import { type Element, readElements } from "./elements.ts";
import { newNames } from "./new-names.ts";
import { attribute, lastOfEach, onlyAttributes, renamed } from "./nodes.ts";
import { type Note, Report } from "./report.ts";
import { readService } from "./service.ts";

export type Read =
  | { readonly ok: true; readonly director: Director; readonly notes: readonly Note[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** More than anybody waits; seconds. */
const MAX_CHECKTIME_S = 365 * 86_400;
/** pythondirector looked at its bad hosts no oftener. */
const ROUND_S = 15;

/**
 * Read a pythondirector's XML by its own rules: every problem at once, or what it says with a note
 * for each thing that means nothing or not what it seems to. Never throws.
 */
export function readDirector(text: string, file: string): Read {
  const report = new Report(text, file);
  const elements = readElements(text);
  if (elements.kind === "malformed") {
    report.problem(elements.at, "", `this is no XML: ${elements.why}`);
    return { ok: false, problems: report.problems };
  }
  const director = readRoot(elements.root, report);
  const { problems, notes } = report;
  if (problems.length > 0) return { ok: false, problems: problems.toSorted(byPlace) };
  return { ok: true, director, notes: notes.toSorted(byPlace) };
}

function readRoot(root: Element, report: Report): Director {
  if (root.name !== "pdconfig")
    report.problem(root.at, "", `expected <pdconfig> at the top, got <${root.name}>`);
  onlyAttributes(root, [], report);
  const services = new Map<string, { service: Service; at: number }>();
  let admin: Admin | undefined;
  let logging: string | undefined;
  let checktime = CHECKTIME_S;
  for (const child of root.name === "pdconfig" ? root.children : []) {
    switch (child.name) {
      case "service": {
        const service = readService(child, report);
        lastOfEach(services, service.name, { service, at: child.at }, "service", report);
        break;
      }
      case "admin":
        if (admin) report.problem(child.at, "admin", "only one <admin> is allowed");
        admin = readAdmin(child, report);
        break;
      case "logging":
        if (logging !== undefined)
          report.note(child.at, "a second <logging>: pythondirector went by the last");
        onlyAttributes(child, ["file"], report);
        logging = readLogging(child, report) ?? logging;
        break;
      case "checktime":
        onlyAttributes(child, ["time"], report);
        checktime = readChecktime(child, report);
        break;
      default:
        report.problem(
          child.at,
          "",
          `expected <service>, <admin>, <logging> or <checktime>, got <${child.name}>`,
        );
    }
  }
  const names = newNames([...services.values()].map(({ service }) => service.name));
  return {
    services: [...services.values()].map(({ service, at }) =>
      renamed(service, names, at, "service", report),
    ),
    admin,
    logging,
    checktime,
  };
}

function readLogging(element: Element, report: Report): string | undefined {
  const { value, at } = attribute(element, "file");
  // oxlint-disable-next-line no-control-regex -- those are what is meant
  if (value === "" || value === "-" || /[\x00-\x1f\x7f]/.test(value)) {
    report.note(at, "<logging> names no file: the log goes to standard error");
    return undefined;
  }
  if (!value.startsWith("/"))
    report.note(
      at,
      "the log's path is relative: from the new file's directory, not where it is started",
    );
  return value;
}

function readChecktime(element: Element, report: Report): number {
  const { value, at } = attribute(element, "time");
  if (!/^\s*[-+]?\d+\s*$/.test(value)) {
    report.problem(at, "checktime", `expected a number of seconds, got ${JSON.stringify(value)}`);
    return CHECKTIME_S;
  }
  const seconds = Number(value);
  if (seconds > MAX_CHECKTIME_S) {
    report.problem(at, "checktime", "that is more than a year");
    return CHECKTIME_S;
  }
  if (seconds < ROUND_S)
    report.note(at, `pythondirector looked every ${ROUND_S} s only, whatever is written here`);
  return seconds > 0 ? seconds : ROUND_S;
}

function byPlace(a: { line: number; column: number }, b: { line: number; column: number }): number {
  return a.line - b.line || a.column - b.column;
}
