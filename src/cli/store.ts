import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

import { run } from "../app/run.ts";
import { announce } from "./announce.ts";

interface Options {
  readonly listen: readonly string[];
  readonly workers: string;
  readonly admin?: string;
}

/** Volumes of a store that nobody has configured, and copies of each file. */
const VOLUMES = ["one", "two", "three"];
const COPIES = 2;

/** `tern store DIR`: a store of three volumes in one directory, without a config file. */
export default async function store(options: Options, dir: string): Promise<number> {
  const root = resolve(dir);
  for (const volume of VOLUMES) mkdirSync(join(root, volume), { recursive: true });
  return run({
    place: {
      kind: "text",
      name: "tern store",
      text: JSON.stringify(storeConfig(options, root), null, 2), // JSON is YAML
      base: process.cwd(),
    },
    args: process.argv.slice(2),
    announce,
  });
}

/** The config that the words on the command line stand for. What it has to remember is in `root`, too. */
export function storeConfig({ listen, workers, admin }: Options, root: string): object {
  return {
    workers: workers === "auto" ? workers : Number(workers),
    state: join(root, "state"),
    admin: { listen: admin ?? [] },
    store: {
      files: {
        listen,
        stages: {
          0: {
            redundancy: COPIES,
            members: VOLUMES.map((id) => ({ id, dir: join(root, id) })),
          },
        },
      },
    },
  };
}
