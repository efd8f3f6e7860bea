/** The page sent with an error when the operator has none. */
import { STATUS_CODES } from "node:http";

const WORDS: Readonly<Record<number, string>> = {
  401: "This page asks who you are.",
  403: "This page is not for you.",
  404: "There is nothing at this address.",
  405: "This address does not understand that method.",
  412: "It has changed since you last looked.",
  416: "It is not that long.",
  429: "That was too often. Wait a moment and try again.",
  500: "Something broke. It has been written down.",
};

/** A whole HTML page. Holds nothing of the request. */
export function errorPage(status: number): string {
  const title = `${status} ${STATUS_CODES[status] ?? ""}`.trim();
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; display: grid; place-content: center; min-height: 90vh; margin: 0 1.5rem; }
h1 { font-size: 1.5rem; margin: 0; }
p { margin: 0.5rem 0; opacity: 0.75; }
</style>
<h1>${title}</h1>
<p>${WORDS[status] ?? ""}</p>
</html>
`;
}
