import type { Entry, Figures, Form, Me, Plain, Problem, ServiceInfo } from "./answers.ts";
import { Api, Refused } from "./api.ts";
import type { StreamEvent } from "./event-stream.ts";
import { totals } from "./health.ts";
import { History } from "./history.ts";
import { follow, type Link } from "./live.ts";

/** Events shown; older ones are in the log file. */
const MOST_ENTRIES = 1000;
/** Something changed what can be asked: a reload, a new service. Not more often than this. */
const FORMS_MS = 5000;

export interface Toast {
  readonly id: number;
  readonly tone: "good" | "bad";
  readonly text: string;
  readonly details: readonly string[];
}

/** What the page knows. Views read it and ask it to do things; it tells them when it has changed. */
export class Store {
  readonly api = new Api();
  readonly history = new History();
  phase: "starting" | "stranger" | "in" = "starting";
  /** Why a login is asked for again. */
  notice = "";
  me: Me | undefined;
  figures: Figures | undefined;
  services: readonly ServiceInfo[] = [];
  /** By service, whether it runs or not: a change may be what makes it run. */
  changes: Readonly<Record<string, Readonly<Record<string, Form>>>> = {};
  entries: readonly Entry[] = [];
  link: Link = { kind: "connecting" };
  toasts: readonly Toast[] = [];
  /** A config being written, and the running one it began from. */
  draft: { readonly base: string; readonly generation: number; readonly text: string } | undefined;

  #listeners = new Set<() => void>();
  #session: AbortController | undefined;
  #toastId = 0;
  #formsFor = "";
  #formsAt = 0;

  constructor() {
    this.api.onStranger = () => this.#strange();
  }

  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** May this user change things? */
  get full(): boolean {
    return this.me?.access === "full";
  }

  /** Why not, in words. */
  get whyNot(): string {
    if (this.full || !this.me) return "";
    return this.me.by === "nobody"
      ? "Nobody can change anything here until admin.users names someone"
      : `${this.me.name} may look, not change`;
  }

  /** Find out who we are, and begin. */
  async start(): Promise<void> {
    try {
      this.#enter(await this.api.get<Me>("me"));
    } catch (error) {
      if (!(error instanceof Refused) || error.code === "unauthenticated") return;
      this.phase = "stranger";
      this.notice = error.message;
      this.#tell();
    }
  }

  /** Rejects with Refused. */
  async logIn(name: string, password: string): Promise<void> {
    await this.api.send("POST", "login", { name, password });
    this.#enter(await this.api.get<Me>("me"));
  }

  async logOut(): Promise<void> {
    await this.api.send("POST", "logout", {}).catch(() => {}); // gone is gone
    this.#leave("You have logged out.");
  }

  /**
   * Change the running config as a service offers it, and show at once how the service is now: the
   * next figures may be a second away. Rejects with Refused.
   */
  async change(service: string, name: string, input: unknown): Promise<unknown> {
    const done = await this.api.ask<unknown>("changes", service, name, input);
    const path = `services/${encodeURIComponent(service)}/stats`;
    const stats = await this.api.get<Plain>(path).catch(() => undefined);
    if (this.figures && stats)
      this.figures = {
        ...this.figures,
        services: { ...this.figures.services, [service]: stats },
      };
    this.#tell();
    return done;
  }

  /** Do something the user asked for, and say how it went. True when it went well. */
  async attempt(done: string, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      this.toast("good", done);
      return true;
    } catch (error) {
      const known = error instanceof Refused;
      if (known && error.code === "unauthenticated") return false; // the login page says it
      this.toast("bad", said(error), known ? error.problems.map(sentence) : []);
      return false;
    }
  }

  toast(tone: Toast["tone"], text: string, details: readonly string[] = []): void {
    const toast = { id: ++this.#toastId, tone, text, details };
    this.toasts = [...this.toasts.slice(-3), toast];
    if (tone === "good") setTimeout(() => this.dismiss(toast.id), 5000);
    this.#tell();
  }

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((t) => t.id !== id);
    this.#tell();
  }

  #enter(me: Me): void {
    this.api.csrf = me.csrf ?? "";
    this.me = me;
    this.phase = "in";
    this.notice = "";
    const session = new AbortController();
    this.#session?.abort();
    this.#session = session;
    void follow(this.api, session.signal, {
      event: (event) => this.#event(event),
      link: (link) => {
        if (link.kind === "live" && this.link.kind === "live") return;
        this.link = link;
        this.#tell();
      },
      newest: () => this.entries.at(-1)?.number,
    });
    void this.#loadEntries();
    this.#tell();
  }

  #strange(): void {
    if (this.phase === "starting") {
      this.phase = "stranger";
      this.#tell();
    } else if (this.phase === "in") this.#leave("Your session has ended. Log in to go on.");
  }

  #leave(notice: string): void {
    this.#session?.abort();
    this.api.csrf = "";
    this.me = undefined;
    this.figures = undefined;
    this.entries = [];
    this.services = [];
    this.#formsFor = "";
    this.phase = "stranger";
    this.notice = notice;
    this.#tell();
  }

  #event({ event, data }: StreamEvent): void {
    if (event === "stats") {
      this.figures = JSON.parse(data) as Figures; // the route says it is
      const { at, services } = this.figures;
      this.history.push(at, { services, total: totals(this.figures) });
      void this.#loadForms();
    } else if (event === "log") {
      this.#remember([JSON.parse(data) as Entry]);
    }
    this.#tell();
  }

  async #loadEntries(): Promise<void> {
    this.#remember(await this.api.get<Entry[]>(`log?limit=${MOST_ENTRIES}`).catch(() => []));
    this.#tell();
  }

  /** A process that was begun anew counts anew; then the time tells what is new. */
  #remember(entries: readonly Entry[]): void {
    const known = new Set(this.entries.map(({ number, time }) => `${number} ${time}`));
    const fresh = entries.filter(({ number, time }) => !known.has(`${number} ${time}`));
    if (fresh.length === 0) return;
    this.entries = [...this.entries, ...fresh]
      .sort((a, b) => a.time.localeCompare(b.time) || a.number - b.number)
      .slice(-MOST_ENTRIES);
  }

  /** What can be asked follows the config: ask again when another one is in force. */
  async #loadForms(): Promise<void> {
    const now = Date.now();
    const { pid, generation } = this.figures?.status ?? {};
    const config = `${pid} ${generation}`;
    if (config === this.#formsFor || now - this.#formsAt < FORMS_MS) return;
    this.#formsAt = now;
    try {
      [this.services, this.changes] = await Promise.all([
        this.api.get<ServiceInfo[]>("services"),
        this.api.get<Record<string, Record<string, Form>>>("changes"),
      ]);
      this.#formsFor = config;
    } catch {
      return; // with the next figures they are asked for again
    }
    this.#tell();
  }

  #tell(): void {
    for (const changed of this.#listeners) changed();
  }
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A problem of a config or of an input, for people. */
function sentence(problem: unknown): string {
  if (typeof problem !== "object" || problem === null) return String(problem);
  const { line, column, path, message } = problem as Partial<Problem>; // as the API says
  const where = typeof line === "number" ? `${line}:${column}: ` : "";
  return `${where}${path ? `${path}: ` : ""}${message}`;
}
