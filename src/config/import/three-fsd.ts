import { stringify } from "yaml";

import { parseCidr } from "../../core/cidr.ts";
import { expandRange, rangeBlocks } from "../../core/ranges.ts";
import type { Setting } from "./ini.ts";

type Note = (line: number, message: string) => void;

/** Where 3fsd listened when the command line did not say another port. */
const PORT = 8000;
/** Of a server that names none. */
const SERVER_PORT = 80;
/** What 3fsd took for granted where the file did not say; it could not do without a region. */
const REDUNDANCY = 2;
const REGION = 256;
const HOST = /^[a-z0-9-][a-z0-9_.-]*$/;
const INDENT = "  ";

/** Settings of all hosts, as they are here. */
interface Common {
  prefix: string;
  stage: number;
  redundancy: number;
  region: number;
  write_permit: string[];
}

type Stages = Map<number, string[]>;

/**
 * The [3fsd] section as the lines of `store:`, a store for each host. `note` is told each thing that
 * could not be carried.
 */
export function fileStores(settings: readonly Setting[], note: Note): string {
  const common: Common = {
    prefix: "_3fs",
    stage: 0,
    redundancy: REDUNDANCY,
    region: REGION,
    write_permit: [],
  };
  const hosts = new Map<string, Stages>();
  for (const setting of settings) {
    const { name, line, value } = setting;
    const carry = Object.hasOwn(CARRIERS, name) ? CARRIERS[name] : undefined;
    if (carry !== undefined) carry(common, setting, note);
    else if (!HOST.test(name) || !/^\d+,/.test(value.trim()))
      note(line, `3fsd has no setting "${name}", and it is no host: left out`);
    else {
      const stages = stagesOf(setting, note);
      if (stages.size > 0) hosts.set(name, stages);
      else note(line, `${name} has no servers: left out`);
    }
  }
  if (!settings.some(({ name }) => name === "region"))
    note(settings[0]?.line ?? 1, `3fsd could not do without a region; here it is ${REGION}`);
  if (hosts.size === 0) {
    note(settings[0]?.line ?? 1, "[3fsd] has no hosts: there is no store");
    return "";
  }
  const lines = ["store:"];
  for (const [host, stages] of hosts) {
    for (const { line, name } of settings)
      if (name === host) tellOfDivision(stages, common.region, line, note);
    lines.push(...storeOf(host, stages, common));
  }
  return `${lines.join("\n")}\n`;
}

const CARRIERS: Readonly<Record<string, (common: Common, setting: Setting, note: Note) => void>> = {
  prefix(common, { value }) {
    common.prefix = value.trim();
  },
  stage: (common, setting, note) => number(common, setting, "stage", note),
  redundancy: (common, setting, note) => number(common, setting, "redundancy", note),
  region(common, setting, note) {
    number(common, setting, "region", note);
    if (!Number.isInteger(Math.log2(common.region) / 4))
      note(setting.line, `region ${common.region} is no power of 16: 3fsd could not use it either`);
  },
  write_permit(common, { value, line }, note) {
    for (const item of value.split(/[,;\s]+/).filter(Boolean)) {
      if (parseCidr(item) ?? rangeBlocks(item)) common.write_permit.push(item);
      else note(line, `"${item}" is no address and no range of them: left out`);
    }
  },
};

function number(
  common: Common,
  { name, value, line }: Setting,
  key: "stage" | "redundancy" | "region",
  note: Note,
): void {
  if (/^\d{1,9}$/.test(value.trim())) common[key] = Number(value);
  else note(line, `${name} = ${value} is no number: ${common[key]} is taken`);
}

/** `0,10.0.0.1:80,10.0.0.2-9:80;1,...`; a stage that comes twice is one. */
function stagesOf({ value, line, name }: Setting, note: Note): Stages {
  const stages: Stages = new Map();
  for (const part of value.split(/[;\n]/).map((text) => text.trim())) {
    const [number = "", ...servers] = part.split(",").map((text) => text.trim());
    if (part === "") continue;
    if (!/^\d{1,9}$/.test(number)) {
      note(line, `${name}: "${number}" is no stage: left out`);
      continue;
    }
    const members = stages.get(Number(number)) ?? [];
    for (const server of servers.filter(Boolean)) {
      if (expandRange(server) === undefined) note(line, `"${server}" is no server: left out`);
      else members.push(/:\d+$/.test(server) ? server : `${server}:${SERVER_PORT}`);
    }
    if (members.length > 0) stages.set(Number(number), members);
  }
  return stages;
}

/** The program did not calculate as its white paper does. */
function tellOfDivision(stages: Stages, region: number, line: number, note: Note): void {
  for (const [number, members] of stages) {
    const count = members.flatMap((member) => expandRange(member) ?? []).length;
    if (count > 0 && region % count === 0) continue;
    note(
      line,
      `stage ${number} has ${count} servers for a region of ${region}: what 3fsd has stored there ` +
        "is found with placement: md5-2to3",
    );
  }
}

function storeOf(host: string, stages: Stages, common: Common): string[] {
  const { prefix, stage, redundancy, region, write_permit } = common;
  const flow = (value: unknown): string =>
    stringify(value, { collectionStyle: "flow", lineWidth: 0 }).trimEnd();
  const line = (depth: number, text: string): string => INDENT.repeat(depth) + text;
  return [
    line(1, `${flow(host)}:`),
    line(2, `# 3fsd took its port from the command line (-p); ${PORT} when there was none`),
    line(2, `listen: ${flow([`:${PORT}`])}`),
    line(2, `hosts: ${flow([host])}`),
    line(2, `prefix: ${flow(prefix)}`),
    line(2, `stage: ${stage}`),
    line(2, "raw_paths: true # as 3fsd had them: escapes and query are part of the name"),
    ...(write_permit.length > 0 ? [line(2, `write_permit: ${flow(write_permit)}`)] : []),
    line(2, "stages:"),
    ...[...stages].map(([number, members]) =>
      line(3, `${number}: ${flow({ placement: "md5-paper", region, redundancy, members })}`),
    ),
  ];
}
