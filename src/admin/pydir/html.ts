/** Everything from here; no script at all. */
const POLICY =
  "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/** A page of ours, or an error in pythondirector's form. */
export function html(
  body: { toString(): string } | string,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(String(body), {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": POLICY,
      // Under no-referrer browsers send our own forms with `Origin: null`.
      "Referrer-Policy": "same-origin",
      ...headers,
    },
  });
}

export const STYLE = `:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 1.5rem; }
table { border-collapse: collapse; margin: 0 0 1.5rem; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; }
th { font-weight: 600; }
tr.group > th { border-top: 1px solid #8888; padding-top: .6rem; }
tr.inactive { opacity: .7; }
code { font-size: .95em; }
form { display: inline; }
input { width: 11rem; }
p.message { border: 1px solid #c60; padding: .4rem .8rem; }
nav a { margin-right: 1.2rem; }
`;
