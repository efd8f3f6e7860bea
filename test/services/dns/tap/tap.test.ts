/** dnstap as others' programs read it. */
import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";

import { memoryLog } from "../../../fake/log.ts";
import { temporary } from "../../../fake/temporary.ts";
import { needs } from "../../../sys/needs.ts";
import { dig, said, type Serving, serving } from "../serving.ts";

const withReader = needs(
  Bun.which("dnstap-read") !== null && Bun.which("dig") !== null,
  "dnstap-read and dig (bind9-dnsutils)",
);
const withCollector = needs(
  Bun.which("dnstap-read") !== null && Bun.which("fstrm_capture") !== null,
  "dnstap-read (bind9-dnsutils) and fstrm_capture (fstrm-bin)",
);

/** What is in a file of frames, without times, ports and sizes. */
async function read(path: string): Promise<string[]> {
  const text = await said("dnstap-read", path);
  return text
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) =>
      line
        .replace(/^\S+ \S+ /, "")
        .replace(/(127\.0\.0\.1):\d+/, "$1")
        .replace(/ \d+b/, ""),
    );
}

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 600 && !(await done()); i++) await Bun.sleep(25);
  expect(await done()).toBe(true);
}

const ask = (server: Serving, ...question: string[]): Promise<string> =>
  dig(server.port, "+tries=1", "+timeout=30", ...question);

describe("into a file", () => {
  withReader("questions and answers, over UDP and TCP, through a reload", async () => {
    await using dir = await temporary();
    const file = `${dir.path}/var/dns.tap`;
    {
      await using server = await serving({ dnstap: { file, identity: "ns1" } });
      await ask(server, "www.example.net", "A");
      await server.reload();
      await ask(server, "+tcp", "nope.example.net", "AAAA");
      await ask(server, "+tcp", "example.net", "AXFR");
    }
    expect(await read(file)).toEqual([
      "AQ 127.0.0.1 -> ? UDP www.example.net/IN/A",
      "AR 127.0.0.1 <- ? UDP www.example.net/IN/A",
      "AQ 127.0.0.1 -> ? TCP nope.example.net/IN/AAAA",
      "AR 127.0.0.1 <- ? TCP nope.example.net/IN/AAAA",
      "AQ 127.0.0.1 -> ? TCP example.net/IN/AXFR",
      "AR 127.0.0.1 <- ? TCP example.net/IN/AXFR",
    ]);
    const whole = await said("dnstap-read", "-y", file);
    expect(whole).toContain("identity: ns1");
    expect(whole).toContain("www.example.net. 300 IN A 192.0.2.10");
  });

  for (const { messages, kinds } of [
    { messages: "queries", kinds: ["AQ"] },
    { messages: "responses", kinds: ["AR"] },
  ])
    withReader(`only ${messages}`, async () => {
      await using dir = await temporary();
      const file = `${dir.path}/dns.tap`;
      {
        await using server = await serving({ dnstap: { file, messages } });
        await ask(server, "www.example.net", "A");
      }
      expect((await read(file)).map((line) => line.slice(0, 2))).toEqual(kinds);
    });

  withReader("a sample of none is none, and then there is no file", async () => {
    await using dir = await temporary();
    {
      await using server = await serving({ dnstap: { file: `${dir.path}/dns.tap`, sample: 0 } });
      await ask(server, "www.example.net", "A");
    }
    expect(await readdir(dir.path)).toEqual([]);
  });

  withReader("another one is begun when it is full, and at a start: each is whole", async () => {
    await using dir = await temporary();
    const file = `${dir.path}/dns.tap`;
    for (const name of ["a", "b"]) {
      await using server = await serving({ dnstap: { file, rotate: "1B", keep: 2 } });
      await ask(server, `${name}.example.net`, "A");
    }
    {
      await using server = await serving({ dnstap: { file, keep: 2 } });
      await ask(server, "c.example.net", "A");
    }
    expect((await readdir(dir.path)).sort()).toEqual(["dns.tap", "dns.tap.1", "dns.tap.2"]);
    const names = [file, `${file}.1`, `${file}.2`].map(async (one) => (await read(one))[0]);
    expect(await Promise.all(names)).toEqual(
      ["c", "b", "a"].map((name) => `AQ 127.0.0.1 -> ? UDP ${name}.example.net/IN/A`),
    );
  });

  withReader("where there can be no file it is said once, and questions are answered", async () => {
    await using dir = await temporary();
    await Bun.write(`${dir.path}/in-the-way`, "a file");
    const log = memoryLog();
    {
      await using server = await serving(
        { dnstap: { file: `${dir.path}/in-the-way/dns.tap` } },
        undefined,
        { log },
      );
      expect(await ask(server, "+short", "www.example.net", "AAAA")).toBe("2001:db8::10\n");
      await until(() => log.lines.includes("error dnstap cannot be written"));
      await ask(server, "+short", "www.example.net", "AAAA");
    }
    expect(log.lines.filter((line) => line.startsWith("error"))).toHaveLength(1);
  });
});

describe("to a collector", () => {
  /** fstrm_capture on `socket`, writing into `file` until it is ended. */
  async function collector(socket: string, file: string): Promise<() => Promise<void>> {
    const child = Bun.spawn(
      ["fstrm_capture", "-t", "protobuf:dnstap.Dnstap", "-u", socket, "-w", file],
      { stdio: ["ignore", "ignore", "ignore"] },
    );
    return async () => {
      child.kill("SIGTERM");
      await child.exited;
    };
  }

  withCollector("everything goes there, through a reload", async () => {
    await using dir = await temporary();
    const socket = `${dir.path}/tap.sock`;
    const log = memoryLog();
    const end = await collector(socket, `${dir.path}/told`);
    {
      await using server = await serving({ dnstap: { socket } }, undefined, { log });
      await until(() => log.lines.includes("info dnstap is taken"));
      await ask(server, "www.example.net", "A");
      await server.reload();
      await ask(server, "mail.example.net", "A");
    } // STOP is said, FINISH waited for
    await end();
    expect(await read(`${dir.path}/told`)).toEqual([
      "AQ 127.0.0.1 -> ? UDP www.example.net/IN/A",
      "AR 127.0.0.1 <- ? UDP www.example.net/IN/A",
      "AQ 127.0.0.1 -> ? UDP mail.example.net/IN/A",
      "AR 127.0.0.1 <- ? UDP mail.example.net/IN/A",
    ]);
  });

  withCollector("without one questions are answered; the next one hears again", async () => {
    await using dir = await temporary();
    const socket = `${dir.path}/tap.sock`;
    const log = memoryLog();
    const taken = (): number => log.lines.filter((line) => line === "info dnstap is taken").length;
    const first = await collector(socket, `${dir.path}/one`);
    let last: () => Promise<void>;
    {
      await using server = await serving({ dnstap: { socket } }, undefined, { log });
      await until(() => taken() === 1);
      await first();
      await until(() => log.lines.includes("warn nobody takes dnstap"));
      expect(await ask(server, "+short", "www.example.net", "AAAA")).toBe("2001:db8::10\n");
      last = await collector(socket, `${dir.path}/two`);
      await until(() => taken() === 2);
      await ask(server, "ns2.example.net", "A");
    }
    await last();
    expect((await read(`${dir.path}/two`)).slice(-2)).toEqual([
      "AQ 127.0.0.1 -> ? UDP ns2.example.net/IN/A",
      "AR 127.0.0.1 <- ? UDP ns2.example.net/IN/A",
    ]);
  });

  test("who speaks something else is left alone", async () => {
    await using dir = await temporary();
    const log = memoryLog();
    using other = Bun.listen({
      unix: `${dir.path}/tap.sock`,
      socket: {
        open: (socket) => void socket.write("220 hello, I am a mail server\r\n"),
        data() {},
      },
    });
    await using server = await serving({ dnstap: { socket: other.unix } }, undefined, { log });
    await until(() => log.lines.includes("warn nobody takes dnstap"));
    const at = log.lines.indexOf("warn nobody takes dnstap");
    expect(log.fields[at]?.["why"]).toBe("it does not take dnstap");
    expect(server.port).toBeGreaterThan(0);
  });
});

test("who never says that it takes it is left when another config does without", async () => {
  await using dir = await temporary();
  const heard = { open: 0, closed: 0 };
  using mute = Bun.listen({
    unix: `${dir.path}/tap.sock`,
    socket: { open: () => void heard.open++, close: () => void heard.closed++, data() {} },
  });
  await using server = await serving({ dnstap: { socket: mute.unix } });
  await until(() => heard.open === 1);
  await server.reload({ dnstap: null });
  await until(() => heard.closed === 1);
  expect(heard.open).toBe(1);
});

test.each([{ dnstap: {} }, { dnstap: { file: "a", socket: "b" } }])(
  "%j cannot be meant",
  (keys) => {
    expect(serving(keys)).rejects.toThrow("expected `socket` or `file`, one of them");
  },
);
