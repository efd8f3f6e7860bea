import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Metrics } from "../../observe/metrics.ts";
import { keyOf, showTarget, type Target } from "./check.ts";
import { FIRST_VERDICTS_MS, type Health, type Verdict, type Watched } from "./health.ts";
import { Haste, type Probe, watch } from "./watch.ts";

export interface ProberParts {
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** From 0 up to 1. */
  readonly dice: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** How to probe a target. Throws when its kind cannot be probed here. */
  readonly probeFor: (target: Target) => Probe;
}

/** A target as it is probed, for all who watch it. */
interface Patient {
  readonly target: Target;
  readonly end: AbortController;
  readonly haste: Haste;
  readonly judged: PromiseWithResolvers<void>;
  readonly watchers: Set<() => void>;
  verdict: Verdict;
  shares: number;
}

/** Probes every target once, whoever watches it, for as long as somebody does. */
export class Prober implements Health {
  readonly #parts: ProberParts;
  readonly #patients = new Map<string, Patient>();

  constructor(parts: ProberParts) {
    this.#parts = parts;
    const { metrics } = parts;
    const up = metrics.gauge("tern_health_targets", "Targets of health checks by verdict.", {
      state: "up",
    });
    const down = metrics.gauge("tern_health_targets", "Targets of health checks by verdict.", {
      state: "down",
    });
    metrics.onSnapshot(() => {
      const states = [...this.#patients.values()].map(({ verdict }) => verdict.state);
      up.set(states.filter((state) => state === "up").length);
      down.set(states.filter((state) => state === "down").length);
    });
  }

  async watch(targets: readonly Target[], changed: () => void): Promise<Watched> {
    const patients: Patient[] = [];
    const close = (): void => {
      for (const patient of patients.splice(0)) this.#leave(patient, tell);
    };
    let open = false;
    let read: readonly Verdict[] | undefined;
    const tell = (): void => {
      read = undefined; // many may change before anybody asks
      if (open) changed();
    };
    try {
      for (const target of targets) patients.push(this.#join(target, tell));
    } catch (failed) {
      close();
      throw failed;
    }
    await this.#firstVerdicts(patients);
    open = true;
    return {
      get verdicts() {
        return (read ??= patients.map(({ verdict }) => verdict));
      },
      hurry() {
        for (const { haste } of patients) haste.hurry();
      },
      close() {
        open = false;
        close();
      },
    };
  }

  /** How many targets are probed now. */
  get size(): number {
    return this.#patients.size;
  }

  async #firstVerdicts(patients: readonly Patient[]): Promise<void> {
    const over = new AbortController();
    const late = this.#parts.clock.sleep(FIRST_VERDICTS_MS, over.signal).catch(() => {});
    await Promise.race([Promise.all(patients.map(({ judged }) => judged.promise)), late]);
    over.abort();
  }

  #join(target: Target, tell: () => void): Patient {
    const key = keyOf(target);
    const patient = this.#patients.get(key) ?? this.#admit(key, target);
    patient.shares++;
    patient.watchers.add(tell);
    return patient;
  }

  #admit(key: string, target: Target): Patient {
    const { clock, dice, log, metrics, probeFor, wall } = this.#parts;
    const probe = probeFor(target);
    const { kind } = target.check;
    const help = "Probes of health checks by kind.";
    const probes = metrics.counter("tern_health_probes_total", help, { kind });
    const patient: Patient = {
      target,
      end: new AbortController(),
      haste: new Haste(),
      judged: Promise.withResolvers(),
      watchers: new Set(),
      verdict: { state: "unknown", since: wall(), why: "" },
      shares: 0,
    };
    this.#patients.set(key, patient);
    const told = (state: "up" | "down", why: string): void => {
      const news = patient.verdict.state !== "unknown";
      patient.verdict = { state, since: wall(), why };
      patient.judged.resolve();
      if (news || state === "down")
        log[state === "up" ? "info" : "warn"](`a server is ${state}`, {
          target: showTarget(target),
          ...(why !== "" && { why }),
        });
      for (const watcher of patient.watchers) watcher();
    };
    void watch(
      (deadline) => {
        probes.add(1);
        return probe(deadline);
      },
      target.check,
      told,
      { clock, dice, signal: patient.end.signal, haste: patient.haste },
    );
    return patient;
  }

  #leave(patient: Patient, tell: () => void): void {
    patient.watchers.delete(tell);
    if (--patient.shares > 0) return;
    this.#patients.delete(keyOf(patient.target));
    patient.end.abort();
  }
}
