/** How to get from the root of a config to one of its values. */
export type KeyPath = readonly (string | number)[];

const PLAIN_KEY = /^[\w*-]+$/;

/** `web.site.listen[0]`; keys that are no plain words in quotes: `zones["example.net"]`. */
export function showPath(path: KeyPath): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else if (PLAIN_KEY.test(key)) text += text === "" ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
  }
  return text;
}
