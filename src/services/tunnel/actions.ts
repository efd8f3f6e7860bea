import { randomBytes } from "node:crypto";

import * as v from "valibot";

import { closest } from "../../core/suggest.ts";
import type { Action } from "../service.ts";
import type { TunnelsConfig } from "./config.ts";
import { TunnelEnd } from "./end.ts";
import { type Member, statusOf } from "./member.ts";
import type { TunnelStatus } from "./status.ts";
import { LONGEST_MS, type TrialState } from "./trial.ts";

const DEFAULT_SECONDS = 3;

/** What a trial has found so far, and what is known of the path besides. Durations are milliseconds. */
export interface TrialReport extends TrialState {
  readonly peer: string | null;
  /** Of the path while there was nothing else on it; null: not known. */
  readonly idleRttMs: number | null;
  /** The longest packet that fits, and whether the path or the config says so. */
  readonly mtu: number;
  readonly mtuBy: "path" | "config";
}

/** What an operator may ask of the tunnels of one config, of which `ends` are in this process. */
export function actionsOf(
  config: TunnelsConfig,
  ends: readonly Member[],
): Readonly<Record<string, Action<any>>> {
  /** The tunnel of that name, when it is in this process. */
  const find = (name: string): Member | undefined => {
    if (!Object.hasOwn(config, name)) {
      const near = closest(name, Object.keys(config));
      throw new Error(
        `there is no tunnel "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}`,
      );
    }
    return ends.find((end) => end.name === name);
  };
  const named = v.strictObject({ tunnel: v.string() });
  const act = (about: string, run: (end: Member) => void): Action<{ tunnel: string }> => ({
    about,
    input: named,
    run: async (input): Promise<Record<string, TunnelStatus>> => {
      const end = find(input.tunnel);
      if (end === undefined) return {};
      run(end);
      return { [end.name]: statusOf(end) };
    },
  });
  const report = (name: string): Record<string, TrialReport> => {
    const end = find(name);
    return end === undefined ? {} : { [name]: trialReport(end) };
  };
  const seconds = v.pipe(
    v.number() as v.GenericSchema<unknown, number>,
    v.minValue(1),
    v.maxValue(LONGEST_MS / 1000),
  );
  return {
    status: {
      about: "tunnels: who is there, how far, what is lost, how much went through",
      input: v.strictObject({}),
      run: async (): Promise<Record<string, TunnelStatus>> =>
        Object.fromEntries(ends.map((end) => [end.name, statusOf(end)])),
    },
    rekey: act("make new keys with the peer, now", (end) => end.rekey()),
    down: act("carry nothing through a tunnel until it is taken up again", (end) => end.hold()),
    up: act("take up a tunnel that was taken down", (end) => end.raise()),
    test: {
      about: "find out how much goes through a tunnel, both ways; `tested` says how it goes",
      input: v.strictObject({
        tunnel: v.string(),
        seconds: v.optional(seconds, DEFAULT_SECONDS), // for each way
      }),
      run: async (input: { tunnel: string; seconds: number }) => {
        const end = find(input.tunnel);
        if (end !== undefined) beginTrial(end, input.seconds * 1000);
        return report(input.tunnel);
      },
    },
    tested: {
      about: "what the latest `test` of a tunnel has found so far",
      input: named,
      run: async (input: { tunnel: string }) => report(input.tunnel),
    },
  };
}

/** Throws Error, for the operator, when there is nobody who could answer. */
function beginTrial(end: Member, ms: number): void {
  if (!(end instanceof TunnelEnd) || end.config.wireguard)
    throw new Error(`${end.name}: only a tern at the other end can be asked for a test`);
  if (!end.isUp) throw new Error(`${end.name} is down: there is nobody to test it with`);
  const { trial, hub } = end.link;
  if (trial.isRunning) throw new Error(`${end.name}: a test is under way already`);
  trial.begin(randomBytes(4).readUInt32BE(), ms, end.mtu, hub.now);
  hub.send();
}

function trialReport(end: Member): TrialReport {
  if (!(end instanceof TunnelEnd))
    throw new Error(`${end.name}: only a tern at the other end can be asked for a test`);
  const { mtu, rtt, config } = end;
  const { peer } = statusOf(end);
  return {
    ...end.link.trial.state,
    peer,
    idleRttMs: Number.isNaN(rtt) ? null : Math.round(rtt * 10) / 10,
    mtu,
    mtuBy: mtu < config.mtu ? "path" : "config",
  };
}
