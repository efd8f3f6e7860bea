/** What a store has been told and what it has said: so it can be told from what it must not say. */

/** Sizes that are written: none, few, a piece, more than is kept in memory, several blocks. */
const SIZES = [0, 10, 5000, 300_000, 2_500_000];
const ABSENT = "absent";

/** Sent once; what came back, or that nothing did. */
type Answered = { readonly status: number; readonly body: Buffer } | "broken";

/** What happened, newest last. */
export interface Told {
  kept: number;
  refused: number;
  broken: number;
  read: number;
}

/** One client that keeps account: one request at a time for each name. */
export class StoreBook {
  readonly told: Told = { kept: 0, refused: 0, broken: 0, read: 0 };
  readonly #roll: (n: number) => number;
  /** What may be there: what was acknowledged last, and what has come to nothing since. */
  readonly #allowed = new Map<string, Map<string, string>>();
  readonly #diary: string[] = [];
  #count = 0;

  constructor(names: readonly string[], roll: (n: number) => number) {
    this.#roll = roll;
    for (const name of names) this.#allowed.set(name, new Map([[ABSENT, "at first"]]));
  }

  get names(): string[] {
    return [...this.#allowed.keys()];
  }

  note(text: string): void {
    this.#diary.push(text);
  }

  /** One write, deletion or read of a name, in one of these shares. Throws when it is answered wrongly. */
  async any(url: string, name: string): Promise<void> {
    const what = this.#roll(10);
    if (what < 5) await this.put(url, name);
    else if (what < 6) await this.remove(url, name);
    else await this.get(url, name);
  }

  async put(url: string, name: string, size = SIZES[this.#roll(SIZES.length)] ?? 0): Promise<void> {
    const body = Buffer.alloc(size, `${name} ${++this.#count}.`);
    const sum = sumOf(body);
    const answer = await ask(`${url}/${name}`, { method: "PUT", body });
    this.#changed(name, sum, `put ${size}`, answer);
  }

  async remove(url: string, name: string): Promise<void> {
    const answer = await ask(`${url}/${name}`, { method: "DELETE" });
    // 404: it says that nothing is there, and that is to be true.
    if (answer !== "broken" && answer.status === 404) this.#check(name, ABSENT);
    else this.#changed(name, ABSENT, "remove", answer);
  }

  /** `sure`: it must be answered. */
  async get(url: string, name: string, sure = false): Promise<void> {
    const answer = await ask(`${url}/${name}`, {});
    this.told.read++;
    if (!sure && (answer === "broken" || answer.status === 503)) return;
    if (answer === "broken") return this.#fail(name, "is broken off");
    if (answer.status === 404) this.#check(name, ABSENT);
    else if (answer.status === 200) this.#check(name, sumOf(answer.body));
    else this.#fail(name, `is answered ${answer.status}`);
  }

  /** Everything that was acknowledged is there, and what was deleted is not. */
  async all(url: string): Promise<void> {
    for (const name of this.names) await this.get(url, name, true);
  }

  #changed(name: string, sum: string, what: string, answer: Answered): void {
    const status = answer === "broken" ? answer : answer.status;
    this.note(`${name}: ${what} ${sum}: ${status}`);
    const why = `${what}: ${status}`;
    if (status === 201 || status === 204) {
      this.told.kept++;
      this.#allowed.set(name, new Map([[sum, why]]));
      return;
    }
    // Nobody has promised anything, and it may have been done all the same.
    this.#allowed.get(name)?.set(sum, why);
    if (status === "broken") this.told.broken++;
    else if (status === 503 || status === 507) this.told.refused++;
    else this.#fail(name, `${what} is answered ${status}`);
  }

  #check(name: string, sum: string): void {
    if (this.#allowed.get(name)?.has(sum) !== true) this.#fail(name, `is ${sum}`);
  }

  #fail(name: string, what: string): never {
    const allowed = [...(this.#allowed.get(name) ?? [])].map(([sum, why]) => `${sum} (${why})`);
    const about = this.#diary.filter((line) => !line.includes(": ") || line.startsWith(`${name}:`));
    throw new Error(`${name} ${what}; allowed: ${allowed}\n${about.slice(-60).join("\n")}`);
  }
}

/** Numbers from 0 to below `n`, the same ones for a seed. */
export function dice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) % n;
  };
}

/** A body that is shorter than announced counts as broken. */
async function ask(url: string, init: RequestInit): Promise<Answered> {
  try {
    const response = await fetch(url, init);
    return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
  } catch {
    return "broken";
  }
}

function sumOf(body: Buffer): string {
  return `${body.length}:${Bun.hash(body).toString(36)}`;
}
