/** Follows the reader's light or dark, fits a phone, prints. */
export const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d5dbe1, #39424c); --soft: light-dark(#5a6672, #98a4b0); --accent: light-dark(#0b5f8a, #7cc4ee); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem; }
header { border-bottom: 1px solid var(--line); margin-bottom: 1rem; }
h1 { margin: 0; color: var(--accent); } header p { margin: 0 0 .5rem; color: var(--soft); }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; white-space: nowrap; font-variant-numeric: tabular-nums; } th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: normal; } main { overflow-x: auto; }
label { display: block; margin: .6rem 0; } input { display: block; font: inherit; padding: .3rem; width: min(20rem, 100%); }
button { font: inherit; padding: .3rem 1rem; } a { color: var(--accent); } .wrong { color: light-dark(#b3261e, #ff8a80); }
`;

/** For style-src: the browser applies this style and no other. */
export function styleHash(): string {
  return `sha256-${new Bun.CryptoHasher("sha256").update(STYLE).digest("base64")}`;
}
