import {
  type Entry,
  type Facts,
  type Item,
  type Member,
  MemberError,
  type Near,
  type Reading,
  type Upload,
} from "../../../src/services/store/members/member.ts";

/** What a member may suffer from. */
export type Fault =
  /** It refuses connections. */
  | "away"
  | "full"
  | "read-only"
  /** Bodies break off after so many bytes, in both directions. */
  | { readonly cutAfter: number }
  /** It begins to answer whoever wants to read data, and never goes on. */
  | "stuck"
  /** It does nothing of a kind before this resolves. */
  | { readonly holds: "read" | "replace" | "place"; readonly until: Promise<void> };

/** A member with a fault that a test chooses; between any two steps it may stop for good. */
export class FaultyMember implements Member {
  readonly id: string;
  readonly where: string;
  fault: Fault | undefined;
  /** It is killed before the step that this counts down to. */
  stepsLeft = Infinity;
  /** What was asked of it: "replace /_3fs_0.records/...". */
  readonly diary: string[] = [];
  readonly #member: Member;

  constructor(member: Member) {
    this.#member = member;
    this.id = member.id;
    this.where = member.where;
  }

  /** What is at fault is met in the usual way. */
  get near(): Near | undefined {
    return this.fault === undefined && this.stepsLeft === Infinity ? this.#member.near : undefined;
  }

  async put(temporary: string, size?: number): Promise<Upload> {
    this.#step("put", temporary, true);
    const upload = await this.#member.put(temporary, size);
    let sent = 0;
    return {
      write: async (bytes) => {
        this.#step("write", "", true);
        sent += bytes.length;
        this.#cut(sent);
        await upload.write(bytes);
      },
      finish: async () => {
        this.#step("finish", "", true);
        await upload.finish();
      },
      place: async (at) => {
        this.#step("place", at, true);
        await this.#held("place");
        await upload.place(at);
      },
      abort: () => upload.abort(),
    };
  }

  async replace(at: string, bytes: Uint8Array, temporary: string): Promise<void> {
    this.#step("replace", at, true);
    await this.#held("replace");
    await this.#member.replace(at, bytes, temporary);
  }

  async facts(at: string): Promise<Facts | undefined> {
    this.#step("facts", at);
    return this.#member.facts(at);
  }

  async read(at: string, from: number, to: number): Promise<Reading | undefined> {
    this.#step("read", at);
    await this.#held("read");
    const reading = await this.#member.read(at, from, to);
    if (reading === undefined) return undefined;
    let read = 0;
    return {
      size: reading.size,
      mtime: reading.mtime,
      next: async (room) => {
        if (this.fault === "stuck" && !at.includes(".records/"))
          return new Promise<never>(() => {});
        const bytes = await reading.next(room);
        read += bytes?.length ?? 0;
        this.#cut(read);
        return bytes;
      },
      close: () => reading.close(),
    };
  }

  async remove(at: string): Promise<void> {
    this.#step("remove", at, true);
    await this.#member.remove(at);
  }

  async list(at: string): Promise<readonly Item[]> {
    this.#step("list", at);
    return this.#member.list(at);
  }

  async names(at: string): Promise<readonly Entry[]> {
    this.#step("list", at);
    return this.#member.names?.(at) ?? this.#member.list(at);
  }

  async probe(): Promise<void> {
    this.#step("probe", "");
    await this.#member.probe();
  }

  space(): Promise<{ readonly free: number; readonly total: number } | undefined> {
    return this.#member.space();
  }

  close(): void {
    this.#member.close();
  }

  #step(what: string, at: string, writes = false): void {
    if (this.fault === "away" || this.stepsLeft-- <= 0)
      throw new MemberError("away", `${this.id} is away`);
    if (writes && this.fault === "full") throw new MemberError("full", `${this.id} is full`);
    if (writes && this.fault === "read-only")
      throw new MemberError("refused", `${this.id} is read-only`);
    this.diary.push(`${what} ${at}`.trim());
  }

  async #held(what: string): Promise<void> {
    const { fault } = this;
    if (typeof fault === "object" && "holds" in fault && fault.holds === what) await fault.until;
  }

  #cut(passed: number): void {
    const { fault } = this;
    if (typeof fault === "object" && "cutAfter" in fault && passed > fault.cutAfter)
      throw new MemberError("away", `${this.id} broke off`);
  }
}
