import type { Body } from "../../wire/http/message.ts";
import type { Reply } from "../../wire/http1/reply.ts";

/** A response as it comes from a server. Of its fields those of the hop are still there. */
export class Answer {
  /** As it was parsed, while `answered` is called: then it is another one's. */
  readonly reply: Reply;
  readonly status: number;
  /** What it says of its length, which for HEAD and 304 is not that of its body. */
  readonly contentLength: number | undefined;
  readonly #exchange: { body(): Body };
  #headers: [name: string, value: string][] | undefined;

  constructor(reply: Reply, exchange: { body(): Body }) {
    this.reply = reply;
    this.status = reply.status;
    this.contentLength = reply.contentLength < 0 ? undefined : reply.contentLength;
    this.#exchange = exchange;
  }

  /** As sent, in their order. To be asked for while `answered` is called, if at all. */
  get headers(): readonly (readonly [name: string, value: string])[] {
    return (this.#headers ??= fieldsOf(this.reply));
  }

  /** Take it or cancel it: the connection is busy until then. Asked for once. */
  body(): Body {
    return this.#exchange.body();
  }
}

/** All of its fields, as sent. */
export function fieldsOf(reply: Reply): [string, string][] {
  const fields: [string, string][] = [];
  for (let i = 0; i < reply.fields; i++)
    fields.push([
      reply.text(reply.nameStart[i] as number, reply.nameEnd[i] as number),
      reply.text(reply.valueStart[i] as number, reply.valueEnd[i] as number),
    ]);
  return fields;
}
