/** etcd, spoken to by its JSON gateway (etcd 3.4 and later): few keys, compared and swapped. */
import * as v from "valibot";

import { limitedResponse } from "../../wire/http/limited-body.ts";

/** Longest wait for an answer. Milliseconds. */
const ANSWER_MS = 3000;
/** Longest answer, in bytes: etcd takes values of 1.5 MiB at most, which are 2 MiB in base64. */
export const MAX_ANSWER: number = 8 * 2 ** 20;

/** Where it is; several addresses of one cluster are tried in turn. */
export interface EtcdPlace {
  readonly urls: readonly string[];
  /** What this appliance is called; no other one in the cluster is. */
  readonly node: string;
}

/** etcd cannot be reached, or will not: for logs. */
export class EtcdError extends Error {
  override name = "EtcdError";
}

/** A key as it is now. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  /** Goes up with every change of it. */
  readonly revision: number;
}

const kv = v.object({
  key: v.string(),
  value: v.optional(v.string(), ""),
  mod_revision: v.string(),
});
const ranged = v.object({ kvs: v.optional(v.array(kv), []) });
const transacted = v.object({
  succeeded: v.optional(v.boolean(), false),
  header: v.object({ revision: v.string() }),
});
const granted = v.object({ ID: v.string() });
const kept = v.object({ result: v.object({ TTL: v.optional(v.string(), "0") }) });

export class Etcd {
  readonly #urls: readonly string[];
  /** Who has answered last. */
  #at = 0;

  constructor(urls: readonly string[]) {
    this.#urls = urls.map((url) => url.replace(/\/+$/, ""));
  }

  async get(key: string): Promise<Entry | undefined> {
    const [entry] = await this.#range({ key: encoded(key) });
    return entry;
  }

  /** All keys that begin so. */
  async list(prefix: string): Promise<Entry[]> {
    const last =
      prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
    return this.#range({ key: encoded(prefix), range_end: encoded(last) });
  }

  /**
   * Set a key if its revision is still this one (0: there is no such key). The new revision;
   * undefined when it is another. With a `lease` the key goes when that ends.
   */
  async swap(
    key: string,
    revision: number,
    value: string,
    lease?: string,
  ): Promise<number | undefined> {
    return this.#transact(key, revision, {
      request_put: { key: encoded(key), value: encoded(value), ...(lease && { lease }) },
    });
  }

  /** Set a key, whatever it was. */
  async put(key: string, value: string, lease?: string): Promise<void> {
    const body = { key: encoded(key), value: encoded(value), ...(lease && { lease }) };
    await this.#ask("kv/put", body, v.object({}));
  }

  /** Remove a key if its revision is still this one. */
  async remove(key: string, revision: number): Promise<void> {
    await this.#transact(key, revision, { request_delete_range: { key: encoded(key) } });
  }

  /** A lease for so many seconds. */
  async grant(seconds: number): Promise<string> {
    return (await this.#ask("lease/grant", { TTL: String(seconds) }, granted)).ID;
  }

  /** False: it has ended. */
  async keep(lease: string): Promise<boolean> {
    const { result } = await this.#ask("lease/keepalive", { ID: lease }, kept);
    return Number(result.TTL) > 0;
  }

  /** End a lease, and all keys with it. */
  async revoke(lease: string): Promise<void> {
    await this.#ask("lease/revoke", { ID: lease }, v.object({}));
  }

  async #range(body: object): Promise<Entry[]> {
    const { kvs } = await this.#ask("kv/range", body, ranged);
    return kvs.map(({ key, value, mod_revision }) => ({
      key: decoded(key),
      value: decoded(value),
      revision: Number(mod_revision),
    }));
  }

  async #transact(key: string, revision: number, then: object): Promise<number | undefined> {
    const { succeeded, header } = await this.#ask(
      "kv/txn",
      {
        compare: [
          { key: encoded(key), target: "MOD", result: "EQUAL", mod_revision: String(revision) },
        ],
        success: [then],
      },
      transacted,
    );
    return succeeded ? Number(header.revision) : undefined;
  }

  async #ask<T>(what: string, body: object, schema: v.GenericSchema<unknown, T>): Promise<T> {
    const troubles: string[] = [];
    for (let tries = 0; tries < this.#urls.length; tries++) {
      const url = this.#urls[this.#at % this.#urls.length] ?? "";
      try {
        const response = await fetch(`${url}/v3/${what}`, {
          method: "POST",
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(ANSWER_MS),
        });
        const text = await limitedResponse(response, MAX_ANSWER).text();
        if (response.ok) return v.parse(schema, JSON.parse(text));
        troubles.push(`${url}: ${response.status} ${text.slice(0, 200)}`);
        if (response.status < 500) break; // the others would say the same
      } catch (error) {
        troubles.push(`${url}: ${error instanceof Error ? error.message : String(error)}`);
      }
      this.#at++;
    }
    throw new EtcdError(`etcd: ${what}: ${troubles.join("; ")}`);
  }
}

function encoded(text: string): string {
  return Buffer.from(text).toString("base64");
}

function decoded(text: string): string {
  return Buffer.from(text, "base64").toString();
}
