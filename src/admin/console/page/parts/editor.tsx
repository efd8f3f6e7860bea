import type { JSX, Ref, TargetedKeyboardEvent } from "preact";

import type { Problem } from "../state/answers.ts";
import { YamlText } from "./yaml-text.tsx";

/**
 * Text with line numbers, colours and marks: a textarea whose own letters are clear, over the same
 * text drawn. The browser does the editing, so undo, spell and screen readers work as anywhere.
 */
export function Editor(props: {
  readonly text: string;
  readonly problems: readonly Problem[];
  readonly disabled: boolean;
  readonly label: string;
  readonly describedBy: string;
  readonly area: Ref<HTMLTextAreaElement>;
  readonly onInput: (text: string) => void;
}): JSX.Element {
  return (
    <div class="editor">
      <div class="editor-page">
        <YamlText text={props.text} problems={props.problems} />
        <textarea
          ref={props.area}
          aria-label={props.label}
          aria-describedby={props.describedBy}
          aria-invalid={props.problems.length > 0}
          value={props.text}
          disabled={props.disabled}
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          wrap="off"
          onKeyDown={keepIndent}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
      </div>
    </div>
  );
}

/** A new line begins below the one before. Tab is left to those who move by it. */
function keepIndent(event: TargetedKeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key !== "Enter" || event.isComposing || event.shiftKey) return;
  const area = event.currentTarget;
  const before = area.value.slice(0, area.selectionStart);
  const line = before.slice(before.lastIndexOf("\n") + 1);
  const indent = /^\s*/.exec(line)?.[0] ?? "";
  const deeper = /:\s*$/.test(line) ? "  " : "";
  event.preventDefault();
  // The only way to put text in that the browser's undo knows of.
  document.execCommand("insertText", false, `\n${indent}${deeper}`);
}

/** Put the cursor where a problem is, in view. */
export function goTo(area: HTMLTextAreaElement, { line, column }: Problem): void {
  const lines = area.value.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const start = before + Math.max(0, column - 1);
  const word = /^[^\s:,]*/.exec(lines[line - 1]?.slice(Math.max(0, column - 1)) ?? "")?.[0] ?? "";
  area.focus({ preventScroll: true });
  area.setSelectionRange(start, start + word.length);
  const lineHeight = area.clientHeight / Math.max(1, lines.length);
  const top = area.getBoundingClientRect().top + scrollY + (line - 1) * lineHeight;
  scrollTo({ top: top - innerHeight / 3 });
}
