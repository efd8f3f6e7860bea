/**
 * What the musl binaries find on Alpine, made of what Debian has: musl is a package, and the C++
 * library they are linked with is put together from g++'s static one, whose parts that they use
 * ask little of a C library.
 */
import { existsSync } from "node:fs";

/** Debian's loader of musl, which is its C library as well (musl). */
const LOADER = "/lib/ld-musl-x86_64.so.1";

/** What those parts want of glibc. */
const GLIBC = `
#include <stddef.h>
char __libc_single_threaded = 0;
/* Not found here: the unwinder then asks dl_iterate_phdr(3), which musl has. */
int _dl_find_object(void *pc, void *result) { return -1; }
long syscall(long number, ...);
unsigned arc4random(void) { unsigned it = 4; syscall(318, &it, sizeof it, 0); return it; }
__attribute__((visibility("hidden"))) void *__dso_handle = NULL;
`;

/** Whether a musl binary can be run here, once it is there. */
export const haveMusl =
  process.arch === "x64" &&
  existsSync(LOADER) &&
  ["gcc", "g++", "readelf", "nm"].every((tool) => Bun.which(tool) !== null);

/** Make the C++ library for `binary` in `dir`; what a command begins with that runs such a binary. */
export async function muslIn(dir: string, binary: string): Promise<string[]> {
  const [relocations, musl] = [output("readelf", "-rW", binary), output("nm", "-D", LOADER)];
  const has = new Set(musl.matchAll(/ [A-Z] (\S+)$/gm).map(([, name]) => name));
  // offset, info, type, value, name: of functions, and of data that the binary has copied to itself
  const wants = relocations
    .matchAll(/ R_X86_64_(?:JUMP_SLOT|GLOB_DAT|COPY) +\S+ (\w+)/g)
    .flatMap(([, name]) => (name === undefined || has.has(name) ? [] : [name]));
  const archives = ["libstdc++.a", "libgcc_eh.a", "libgcc.a"].map((name) =>
    output("g++", `-print-file-name=${name}`).trim(),
  );
  await Bun.write(`${dir}/glibc.c`, GLIBC);
  const library = `${dir}/libstdc++.so.6`;
  const shared = ["-shared", "-fPIC", "-nostdlib", "-o", library, "-Wl,-soname,libstdc++.so.6"];
  const parts = [...new Set(wants)].map((name) => `-Wl,-u,${name}`);
  const from = ["-Wl,--start-group", ...archives, "-Wl,--end-group"];
  output("gcc", ...shared, `${dir}/glibc.c`, ...parts, ...from);
  return ["env", `LD_LIBRARY_PATH=${dir}`];
}

function output(...command: string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync(command);
  if (!success) throw new Error(`${command[0]}: ${stderr.toString().slice(0, 2000)}`);
  return stdout.toString();
}
