/** As `balance:` takes them: services and groups are spoken of in paths and on the command line. */
const GOOD = /^[\w.-]{1,64}$/;
/** The loader takes these for no keys of a record. */
const RESERVED: readonly string[] = ["__proto__", "prototype", "constructor"];
const BAD = /[^\w.-]+/g;
const MAX = 64;

/** What each of these different names is called here: as before where that can be, and no two the same. */
export function newNames(names: readonly string[]): ReadonlyMap<string, string> {
  const good = names.filter((name) => GOOD.test(name) && !RESERVED.includes(name));
  const taken = new Set([...RESERVED, ...good]);
  return new Map(
    names.map((name) => {
      if (good.includes(name)) return [name, name];
      const fresh = unused(name.replace(BAD, "-"), taken, MAX);
      taken.add(fresh);
      return [name, fresh];
    }),
  );
}

/** A name of at most `max` characters that nobody has: with a number behind it if need be. */
export function unused(name: string, taken: ReadonlySet<string>, max: number): string {
  for (let n = 1; ; n++) {
    const suffix = n === 1 ? "" : `-${n}`;
    const made = name.slice(0, max - suffix.length) + suffix;
    if (!taken.has(made)) return made;
  }
}
