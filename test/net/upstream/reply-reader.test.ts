import { describe, expect, test } from "bun:test";

import * as fc from "fast-check";

import type { Asker } from "../../../src/net/upstream/asker.ts";
import { type Progress, ReplyReader } from "../../../src/net/upstream/reply-reader.ts";

const MAX_HEAD = 4096;

/** What an asker is told, as words; runs of data are one. */
function diary(): Asker & { readonly told: string[] } {
  const told: string[] = [];
  const note = (word: string): void => void told.push(word);
  return {
    told,
    interim: (reply) => note(`interim ${reply.status}`),
    head: (reply) => note(`head ${reply.status} ${reply.body}`),
    data(bytes, from, to) {
      const text = Buffer.from(bytes.subarray(from, to)).toString("latin1");
      if (told.at(-1)?.startsWith("data ")) told.push(`${told.pop()}${text}`);
      else note(`data ${text}`);
    },
    lull() {},
    end() {},
    failed() {},
    room() {},
  };
}

/** Read these pieces, up to the one that ends it. */
function reading(pieces: readonly string[], asked: "HEAD" | "other" = "other") {
  const reader = new ReplyReader(MAX_HEAD);
  const asker = diary();
  reader.await(asker, asked);
  let progress: Progress = "more";
  for (const piece of pieces) {
    if (progress !== "more") break;
    const bytes = Buffer.from(piece, "latin1");
    progress = reader.read(bytes, 0, bytes.length);
  }
  return { progress, told: asker.told, reader };
}

const OK = "HTTP/1.1 200 OK\r\n";
const responses = [
  { story: "a length", text: `${OK}Content-Length: 5\r\n\r\nhello`, ends: "whole" },
  { story: "no body", text: "HTTP/1.1 204 x\r\nX: y\r\n\r\n", ends: "whole" },
  {
    story: "chunks and a trailer",
    text: `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nX-T: 1\r\n\r\n`,
    ends: "whole",
  },
  {
    story: "1xx before it",
    text: `HTTP/1.1 103 x\r\nLink: a\r\n\r\nHTTP/1.1 102 x\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`,
    ends: "whole",
  },
  { story: "until the end", text: `${OK}\r\nhello`, ends: "more" },
  { story: "another protocol", text: "HTTP/1.1 101 x\r\nUpgrade: x\r\n\r\nhello", ends: "more" },
  {
    story: "a chunk that is none",
    text: `${OK}Transfer-Encoding: chunked\r\n\r\nz\r\n`,
    ends: "bad",
  },
  { story: "nonsense", text: "hello, I am no server", ends: "bad" },
] as const;

describe("however it is cut, it says the same", () => {
  test.each(responses)("$story", ({ text, ends }) => {
    const whole = reading([text]);
    expect(whole.progress).toBe(ends);
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: text.length - 1 }), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, (places) => {
        const at = [0, ...places.toSorted((a, b) => a - b), text.length];
        const pieces = at.slice(1).map((to, i) => text.slice(at[i], to));
        const cut = reading(pieces);
        expect([cut.progress, cut.told]).toEqual([whole.progress, whole.told]);
      }),
    );
  });
});

describe("what is behind a response", () => {
  test.each(responses.filter(({ ends }) => ends === "whole"))("$story: surplus", ({ text }) => {
    const { reader, told } = reading([`${text}HTTP/1.1 200 evil\r\n\r\n`]);
    expect(reader.surplus).toBe(true);
    expect(told.join()).not.toContain("evil");
  });

  test("in another piece: stray", () => {
    const { reader } = reading(["HTTP/1.1 204 x\r\n\r\n"]);
    reader.rest();
    const more = Buffer.from(OK);
    expect(reader.read(more, 0, more.length)).toBe("stray");
  });
});

test("given up by whoever is told, at any moment: nothing more is told", () => {
  for (const { text } of responses)
    for (const at of ["interim", "head", "data"] as const) {
      const reader = new ReplyReader(MAX_HEAD);
      const asker = diary();
      const told = asker[at].bind(asker) as (...args: unknown[]) => void;
      asker[at] = (...args: unknown[]): void => {
        told(...args);
        reader.stop();
        asker.told.push("stopped");
      };
      reader.await(asker, "other");
      const bytes = Buffer.from(text + OK, "latin1");
      const progress = reader.read(bytes, 0, bytes.length);
      if (asker.told.includes("stopped"))
        expect([progress, asker.told.at(-1)]).toEqual(["more", "stopped"]);
    }
});

test("a response after another", () => {
  const reader = new ReplyReader(MAX_HEAD);
  for (const { text } of responses.filter(({ ends }) => ends === "whole")) {
    const asker = diary();
    reader.await(asker, "other");
    const bytes = Buffer.from(text, "latin1");
    expect(reader.read(bytes, 0, bytes.length)).toBe("whole");
    expect([reader.keeps, reader.surplus]).toEqual([true, false]);
    reader.rest();
  }
});
