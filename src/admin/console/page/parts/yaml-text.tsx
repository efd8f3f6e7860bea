import type { JSX } from "preact";
import { useMemo } from "preact/hooks";

import type { Problem } from "../state/answers.ts";
import { colours } from "./yaml-colours.ts";

/** YAML with numbered, coloured lines; those with problems are marked. */
export function YamlText(props: {
  readonly text: string;
  readonly problems?: readonly Problem[];
}): JSX.Element {
  const { text, problems = [] } = props;
  const lines = useMemo(() => text.split("\n"), [text]);
  const wrong = new Map(problems.map((problem) => [problem.line, problem]));
  const drawn = useMemo(
    () =>
      lines.map((line, i) => (
        <span class={`line ${wrong.has(i + 1) ? "wrong-line" : ""}`} key={i}>
          {colours(line).map((stretch, n) => (
            <span class={`y-${stretch.kind}`} key={n}>
              {stretch.text}
            </span>
          ))}
          {"\n"}
        </span>
      )),
    [lines, JSON.stringify(problems)],
  );
  return (
    <>
      <span class="gutter" aria-hidden="true">
        {lines.map((_, i) => (
          <span key={i} class={wrong.has(i + 1) ? "bad" : ""} title={wrong.get(i + 1)?.message}>
            {i + 1}
          </span>
        ))}
      </span>
      <code class="lines">{drawn}</code>
    </>
  );
}
