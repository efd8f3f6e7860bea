import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, createServer } from "node:tls";

import { systemClock } from "../../../src/core/clock.ts";
import { CertificateKeeper, type TlsOptions } from "../../../src/net/tls/keeper.ts";
import { CertificateStore } from "../../../src/net/tls/store.ts";
import { certificate } from "../../fake/certificate.ts";
import { memoryLog } from "../../fake/log.ts";
import { havePebble, type Pebble, pebble } from "../../fake/pebble.ts";
import { advice, renewingCa } from "../../fake/renewing-ca.ts";
import { temporary } from "../../fake/temporary.ts";

const DAY = 86_400_000;
const WAIT_MS = 20_000;
const TEST_MS = 30_000;

const lent = (state: string, wall = Date.now) => ({
  state,
  clock: systemClock,
  wall,
  dice: () => 0.5,
  log: memoryLog(),
});

const files = async (dir: string, made: { cert: string; key: string }): Promise<TlsOptions> => {
  await Bun.write(`${dir}/a.pem`, made.cert);
  await Bun.write(`${dir}/a.key`, made.key);
  return {
    certificates: [{ cert: `${dir}/a.pem`, key: `${dir}/a.key` }],
    acme: undefined,
    minVersion: "1.3",
  };
};

describe("certificates from files", () => {
  test("are in the store after start, and again after they changed", async () => {
    await using dir = await temporary();
    const options = await files(dir.path, await certificate({ names: ["a.example"] }));
    const keeper = await CertificateKeeper.prepare(options, lent(dir.path));
    const store = new CertificateStore();
    keeper.start(store);
    expect([store.find("a.example")?.names, store.minVersion]).toEqual([["a.example"], "1.3"]);

    const stop = new AbortController();
    const published = Promise.withResolvers<void>();
    const running = keeper.run(store, async () => published.resolve(), stop.signal);
    await files(dir.path, await certificate({ names: ["b.example"] }));
    await published.promise;
    expect(store.find("b.example")?.names).toEqual(["b.example"]);
    stop.abort();
    await running;
  });

  test.each([
    { to: 90, said: [] },
    { to: 10, said: ["warn certificate expires soon"] },
    { to: -0.5, said: ["warn certificate has expired"] },
  ])("with $to days left the log says $said", async ({ to, said }) => {
    await using dir = await temporary();
    const options = await files(dir.path, await certificate({ names: ["a.example"], to }));
    const tools = lent(dir.path);
    await CertificateKeeper.prepare(options, tools);
    expect(tools.log.lines).toEqual([...said]);
  });
});

test("a CA out of reach is asked again later; meanwhile a self-signed certificate answers", async () => {
  await using dir = await temporary();
  const acme = {
    directory: "https://127.0.0.1:1/dir",
    email: undefined,
    names: ["a.example"],
    ca: "/nowhere.pem",
  };
  const options = { certificates: [], acme, minVersion: "1.2" } as const;
  expect(CertificateKeeper.prepare(options, lent(dir.path))).rejects.toThrow("/nowhere.pem");

  const tools = lent(dir.path);
  const stop = new AbortController();
  const waits: number[] = [];
  let later = 0;
  const sleep = async (ms: number): Promise<void> => {
    later += ms;
    if (waits.push(Math.round(ms / 60_000)) === 3) stop.abort();
  };
  const keeper = await CertificateKeeper.prepare(
    { ...options, acme: { ...acme, ca: undefined } },
    { ...tools, wall: () => Date.now() + later, clock: { ...systemClock, sleep } },
  );
  const store = new CertificateStore();
  keeper.start(store);
  const self = new X509Certificate(store.find("a.example")?.cert ?? "");
  expect([self.subject, self.subjectAltName]).toEqual(["CN=tern self-signed", "DNS:a.example"]);

  await keeper.run(store, async () => {}, stop.signal);
  expect(waits).toEqual([1, 3, 9]);
  const errors = tools.log.lines.filter((line) => line.startsWith("error"));
  expect(errors).toEqual(Array(3).fill("error no certificate from the CA"));
  expect(keeper.status.acme[0]?.failures).toBe(3);
});

describe.skipIf(!havePebble)("certificates from a CA", () => {
  let ca: Pebble;
  beforeAll(async () => {
    ca = await pebble();
  });
  afterAll(() => ca[Symbol.asyncDispose]());

  const options = (...names: string[]): TlsOptions => ({
    certificates: [],
    acme: { directory: ca.directory, email: undefined, names, ca: ca.ca },
    minVersion: "1.2",
  });

  /** Run until `enough` publications have brought certificates, or time is up. */
  async function run(
    keeper: CertificateKeeper,
    store: CertificateStore,
    done: () => boolean,
  ): Promise<void> {
    const stop = new AbortController();
    keeper.start(store);
    const publish = async (): Promise<void> => {
      if (done()) stop.abort();
    };
    if (done()) stop.abort();
    const late = setTimeout(() => stop.abort(new Error("late")), WAIT_MS);
    await keeper.run(store, publish, stop.signal);
    clearTimeout(late);
    expect(done()).toBe(true);
  }

  const issued = (store: CertificateStore, name: string): boolean =>
    new X509Certificate(store.find(name)?.cert ?? "").issuer.includes("Pebble");

  /** What a listener does with the store on port 80. */
  const answerHttp = (store: CertificateStore): Bun.Server<undefined> =>
    Bun.serve({
      hostname: "127.0.0.1",
      port: ca.httpPort,
      fetch: ({ url }) => {
        const answer = store.keyAuthorization(new URL(url).pathname.split("/").pop() ?? "");
        return new Response(answer ?? "", { status: answer ? 200 : 404 });
      },
    });

  test(
    "issued by http-01, kept, and not asked for again after a restart",
    async () => {
      await using dir = await temporary();
      const store = new CertificateStore();
      const server = answerHttp(store);
      const names = ["one.example", "two.example"];
      const keeper = await CertificateKeeper.prepare(options(...names), lent(dir.path));
      await run(keeper, store, () => names.every((n) => issued(store, n)));
      await server.stop(true);

      const leaf = new X509Certificate(store.find("one.example")?.cert ?? "");
      expect(leaf.subjectAltName).toBe("DNS:one.example");
      expect(store.snapshot().tokens).toEqual({}); // no proof is left lying about

      const orders = ca.log().split("order-plz").length;
      const restarted = new CertificateStore();
      const again = await CertificateKeeper.prepare(options(...names), lent(dir.path));
      await run(again, restarted, () => names.every((n) => issued(restarted, n)));
      expect(restarted.find("one.example")).toEqual(store.find("one.example"));
      expect(ca.log().split("order-plz").length).toBe(orders);
    },
    TEST_MS,
  );

  test(
    "issued by tls-alpn-01 when nobody answers on port 80",
    async () => {
      await using dir = await temporary();
      const store = new CertificateStore();
      const server = createServer({
        ALPNProtocols: ["acme-tls/1"],
        SNICallback: (name, done) => {
          const { cert = "", key = "" } = store.challenge(name) ?? {};
          done(null, createSecureContext({ cert, key }));
        },
      });
      server.listen(ca.tlsPort, "127.0.0.1");
      const tools = lent(dir.path);
      const keeper = await CertificateKeeper.prepare(options("alpn.example"), tools);
      await run(keeper, store, () => issued(store, "alpn.example"));
      server.close();
      server.close();
      server.close();
      expect(tools.log.lines).toEqual([
        "info no certificate; trying another way",
        "info certificate issued",
      ]);
      expect(store.snapshot().challenges).toEqual({});
    },
    TEST_MS,
  );

  test(
    "renewed when two thirds of its life are over, with the same account",
    async () => {
      await using dir = await temporary();
      const store = new CertificateStore();
      const server = answerHttp(store);
      await run(
        await CertificateKeeper.prepare(options("old.example"), lent(dir.path)),
        store,
        () => issued(store, "old.example"),
      );
      const old = store.find("old.example");
      const account = await accountIn(dir.path, ca);
      const { validFrom, validTo } = new X509Certificate(old?.cert ?? "");
      const life = Date.parse(validTo) - Date.parse(validFrom);

      const early = await CertificateKeeper.prepare(
        options("old.example"),
        lent(dir.path, () => Date.now() + life * 0.6),
      );
      expect(early.status.acme[0]?.due).toBeGreaterThan(Date.now() + life * 0.6);

      const late = () => Date.now() + life * 0.67 + DAY;
      const keeper = await CertificateKeeper.prepare(options("old.example"), lent(dir.path, late));
      await run(keeper, store, () => store.find("old.example")?.cert !== old?.cert);
      await server.stop(true);
      expect(issued(store, "old.example")).toBe(true);
      expect(await accountIn(dir.path, ca)).toBe(account);
    },
    TEST_MS,
  );

  test.each([
    { story: "the order says which", refuses: false, replaced: [true] },
    {
      story: "and does not where the CA has heard that before",
      refuses: true,
      replaced: [true, false],
    },
  ])(
    "replaced at once when the CA says so: $story",
    async ({ refuses, replaced }) => {
      await using front = renewingCa(ca);
      front.refuses = refuses;
      const name = `early${refuses ? "er" : ""}.example`;
      const wanted = options(name);
      const acme = { ...wanted.acme, directory: front.directory } as TlsOptions["acme"];
      const prepare = (tools: ReturnType<typeof lent>): Promise<CertificateKeeper> =>
        CertificateKeeper.prepare({ ...wanted, acme }, tools);
      await using dir = await temporary();
      const store = new CertificateStore();
      const server = answerHttp(store);
      await run(await prepare(lent(dir.path)), store, () => issued(store, name));
      const old = store.find(name);
      expect(front.replaced).toEqual([undefined]);

      const asked: string[] = [];
      front.advise = (id) => {
        const first = asked.push(id) === 1;
        const from = Date.now() + (first ? -DAY : 365 * DAY); // the second one is for the new one
        return advice(from, from + DAY / 2);
      };
      const tools = lent(dir.path);
      await run(await prepare(tools), store, () => store.find(name)?.cert !== old?.cert);
      await server.stop(true);
      expect(issued(store, name)).toBe(true);
      expect(front.replaced.slice(1).map((id) => id === asked[0])).toEqual([...replaced]);
      expect(tools.log.lines).toEqual([
        "info the CA says when to renew",
        "info certificate issued",
      ]);
    },
    TEST_MS,
  );

  test(
    "a CA that says so of every certificate is not asked for one after the other",
    async () => {
      await using front = renewingCa(ca);
      front.advise = () => advice(Date.now() - DAY, Date.now() - DAY / 2);
      const wanted = options("hasty.example");
      const acme = { ...wanted.acme, directory: front.directory } as TlsOptions["acme"];
      await using dir = await temporary();
      const store = new CertificateStore();
      const server = answerHttp(store);
      const tools = lent(dir.path);
      const stop = new AbortController();
      const waits: number[] = [];
      const sleep = async (ms: number): Promise<void> => {
        waits.push(ms);
        stop.abort();
      };
      const keeper = await CertificateKeeper.prepare(
        { ...wanted, acme },
        { ...tools, clock: { ...systemClock, sleep } },
      );
      keeper.start(store);
      await keeper.run(store, async () => {}, stop.signal);
      await server.stop(true);
      expect([front.replaced, waits]).toEqual([[undefined], [60 * 60_000]]);
      expect(tools.log.lines).toEqual(["info certificate issued"]);
    },
    TEST_MS,
  );

  test("a CA that cannot say when to renew is no trouble: two thirds of the life it is", async () => {
    await using front = renewingCa(ca);
    front.advise = () => new Response("", { status: 500 });
    const wanted = options("quiet.example");
    const acme = { ...wanted.acme, directory: front.directory } as TlsOptions["acme"];
    await using dir = await temporary();
    const store = new CertificateStore();
    const server = answerHttp(store);
    const prepare = (tools: ReturnType<typeof lent>): Promise<CertificateKeeper> =>
      CertificateKeeper.prepare({ ...wanted, acme }, tools);
    await run(await prepare(lent(dir.path)), store, () => issued(store, "quiet.example"));
    await server.stop(true);

    const tools = lent(dir.path);
    const stop = new AbortController();
    const waits: number[] = [];
    const sleep = async (ms: number): Promise<void> => {
      waits.push(ms);
      stop.abort();
    };
    const keeper = await prepare({ ...tools, clock: { ...systemClock, sleep } });
    const [before] = keeper.status.acme;
    await keeper.run(store, async () => {}, stop.signal);
    expect([tools.log.lines, waits]).toEqual([
      ["info the CA does not say when to renew"],
      [60 * 60_000],
    ]);
    expect(keeper.status.acme[0]).toEqual(before as NonNullable<typeof before>);
  });

  test(
    "killed while the CA looks: the account stays, the next start gets the certificate",
    async () => {
      await using dir = await temporary();
      const child = Bun.spawn(
        [
          process.execPath,
          `${import.meta.dir}/keeper-child.ts`,
          dir.path,
          JSON.stringify(options("killed.example")),
        ],
        {
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      await child.stdout.getReader().read(); // a proof is offered
      child.kill("SIGKILL");
      await child.exited;
      const account = await accountIn(dir.path, ca);

      const store = new CertificateStore();
      const server = answerHttp(store);
      const keeper = await CertificateKeeper.prepare(options("killed.example"), lent(dir.path));
      await run(keeper, store, () => issued(store, "killed.example"));
      await server.stop(true);
      expect(await accountIn(dir.path, ca)).toBe(account);
    },
    TEST_MS,
  );
});

async function accountIn(state: string, { directory }: Pebble): Promise<string> {
  const { port } = new URL(directory);
  return readFile(`${state}/acme/127.0.0.1-${port}-dir/account.pem`, "utf8");
}
