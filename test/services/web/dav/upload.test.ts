import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";

import { served } from "./served.ts";

/** A client that says exactly what it is told, and waits for words in the answer. */
class Client implements Disposable {
  readonly #socket: Socket;
  #heard = "";

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.on("data", (bytes) => (this.#heard += bytes.toString("latin1")));
    this.#socket.on("error", () => {}); // a reset is what some of these tests want
  }
  say(text: string): void {
    this.#socket.write(text);
  }
  /** All it heard, once that has `words` in it. */
  async hears(words: string): Promise<string> {
    await until(() => this.#heard.includes(words));
    return this.#heard;
  }
  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !holds(); i++) await Bun.sleep(5);
  expect(holds()).toBe(true);
}

const head = (fields: string) => `PUT /f HTTP/1.1\r\nHost: files.example\r\n${fields}\r\n\r\n`;

describe("an upload over a socket", () => {
  test("whose client goes away leaves nothing behind", async () => {
    await using site = await served();
    await writeFile(join(site.root, "f"), "old");
    {
      using client = new Client(site.port);
      client.say(`${head("Content-Length: 100000")}${"x".repeat(50_000)}`);
      await until(() => readdirSync(site.root).length === 2); // it is on its way
    }
    await until(() => readdirSync(site.root).length === 1);
    expect(await readFile(join(site.root, "f"), "utf8")).toBe("old");
  });

  test("comes when it is asked for, and is served at once", async () => {
    await using site = await served();
    using client = new Client(site.port);
    client.say(head("Content-Length: 5\r\nExpect: 100-continue"));
    await client.hears("100 Continue\r\n\r\n");
    client.say("hello");
    await client.hears("HTTP/1.1 201 ");
    client.say("GET /f HTTP/1.1\r\nHost: files.example\r\n\r\n");
    await client.hears("\r\n\r\nhello");
    client.say(`${head("Transfer-Encoding: chunked")}3\r\nnew\r\n4\r\n one\r\n0\r\n\r\n`);
    await client.hears("HTTP/1.1 204 ");
    client.say("GET /f HTTP/1.1\r\nHost: files.example\r\n\r\n");
    const heard = await client.hears("\r\n\r\nnew one");
    const tags = [...heard.matchAll(/^etag: (.*)\r$/gim)].map(([, tag]) => tag);
    expect(tags).toHaveLength(4);
    expect(tags[0]).toBe(tags[1]); // GET gives the tag that PUT gave
    expect(tags[2]).toBe(tags[3]);
  });

  test("is not asked for when it would be in vain", async () => {
    await using site = await served();
    await writeFile(join(site.root, "f"), "old");
    using client = new Client(site.port);
    client.say(head("Content-Length: 5\r\nExpect: 100-continue\r\nIf-None-Match: *"));
    expect(await client.hears("412 Precondition Failed")).not.toContain("100 Continue");
  });
});
