import type { JSX } from "preact";

/** A unified diff: signs as well as colours say what came and what went. */
export function Diff({ text }: { readonly text: string }): JSX.Element {
  return (
    <div class="scroll diff" tabIndex={0} role="region" aria-label="Differences">
      <pre>
        {text
          .replace(/\n$/, "")
          .split("\n")
          .map((line, i) => (
            <span key={i} class={kindOf(line)}>
              {line}
              {"\n"}
            </span>
          ))}
      </pre>
    </div>
  );
}

function kindOf(line: string): string {
  if (line.startsWith("+++") || line.startsWith("---")) return "d-file";
  if (line.startsWith("@@")) return "d-place";
  if (line.startsWith("+")) return "d-in";
  if (line.startsWith("-")) return "d-out";
  return "d-same";
}
