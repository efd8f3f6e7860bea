import { createRequire } from "node:module";
import { join } from "node:path";

import { type Browser, chromium, type Page } from "playwright-core";

/** Debian's; undefined when it is not installed. */
export const CHROMIUM = Bun.which("chromium") ?? undefined;

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
/** The machine may be busy; what has not come by then does not come. */
const WAIT_MS = 10_000;
const SHOTS = join(import.meta.dir, "shots");

/**
 * One for all tests of a file. Every visit has a profile of its own, gone at its end. `quic`: it
 * speaks HTTP/3, and nothing else, with `host:port`, whose certificate has the key with this SHA-256
 * (base64, of its SubjectPublicKeyInfo).
 */
export function launch(quic?: { readonly to: string; readonly key: string }): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error("chromium is not installed");
  const ways =
    quic === undefined
      ? ["--disable-quic"]
      : [
          "--enable-quic",
          `--origin-to-force-quic-on=${quic.to}`,
          `--ignore-certificate-errors-spki-list=${quic.key}`,
        ];
  return chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...ways] });
}

export interface Look {
  readonly scheme?: "light" | "dark";
  readonly device?: "desk" | "phone";
}

/** Somebody at the console. */
export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** What the page did wrong: errors of scripts, and everything its policy forbade. */
  readonly wrong: readonly string[];
  /** Every address it asked for. */
  readonly asked: readonly string[];
  logIn(name: string, password: string): Promise<void>;
  /** Be on another page of the console, drawn with figures. */
  go(hash: string): Promise<void>;
  /** Keep how it looks, for people. */
  shot(name: string): Promise<void>;
  /** How many pixels it is wider than the window. */
  overflow(): Promise<number>;
  /** What axe finds, as `rule: element`. */
  barriers(): Promise<readonly string[]>;
}

export async function visit(browser: Browser, url: string, look: Look = {}): Promise<Visit> {
  const { scheme = "light", device = "desk" } = look;
  const context = await browser.newContext({
    viewport: device === "phone" ? { width: 390, height: 844 } : { width: 1360, height: 900 },
    colorScheme: scheme,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const wrong: string[] = [];
  const asked: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => {
    // Chromium writes a line for every status that is no success; those are part of the game.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      wrong.push(message.text());
  });
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(url);
  await page.waitForSelector("h1");
  return {
    page,
    wrong,
    asked,
    logIn: async (name, password) => {
      await page.getByLabel("Name").fill(name);
      await page.getByLabel("Password").fill(password);
      await page.getByRole("button", { name: "Log in" }).click();
      await page.locator(".link-state.live:visible").waitFor();
    },
    go: async (hash) => {
      await page.evaluate((to) => (location.hash = to), hash);
      await page.waitForSelector("main h1");
      await page.waitForFunction(() => !document.querySelector(".waiting"));
    },
    shot: async (name) => {
      const path = join(SHOTS, `${name}-${scheme}-${device}.png`);
      await page.screenshot({ path, fullPage: true });
    },
    overflow: () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
    barriers: async () => {
      await page.evaluate(await axeSource());
      return page.evaluate(runAxe);
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** As text: the page's policy lets no other script in, the debugger's word it does take. */
function axeSource(): Promise<string> {
  return Bun.file(createRequire(import.meta.url).resolve("axe-core/axe.min.js")).text();
}

async function runAxe(): Promise<string[]> {
  const { axe } = globalThis as unknown as {
    axe: { run(options: object): Promise<{ violations: Violation[] }> };
  };
  interface Violation {
    readonly id: string;
    readonly nodes: readonly {
      readonly target: readonly unknown[];
      readonly failureSummary: string;
    }[];
  }
  const found = await axe.run({ resultTypes: ["violations"] });
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
  );
}
