import { VERSION } from "../app/version.ts";
import { EXIT } from "./exit.ts";
import { print, printJson } from "./terminal.ts";

/** `tern version`. */
export default function version({ json }: { json?: boolean }): number {
  const { arch, platform } = process;
  if (json) printJson({ version: VERSION, bun: Bun.version, arch, platform });
  else print(`tern ${VERSION} (Bun ${Bun.version}, ${platform}-${arch})`);
  return EXIT.ok;
}
