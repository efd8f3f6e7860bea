import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { ChangeButton } from "../parts/button.tsx";
import { useStore } from "../parts/context.tsx";
import { Editor, goTo } from "../parts/editor.tsx";
import { Icon } from "../parts/icon.tsx";
import type { Problem } from "../state/answers.ts";
import { useDraft } from "./draft.ts";

/** The running config as text to change: checked while typed, put in force all at once or not at all. */
export function ConfigEditor(): JSX.Element {
  const store = useStore();
  const draft = useDraft();
  const area = useRef<HTMLTextAreaElement>(null);
  const { text, changed, problems, checking } = draft;
  const [full] = useState(store.full);

  useEffect(() => {
    if (!changed) return;
    const stay = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener("beforeunload", stay);
    return () => removeEventListener("beforeunload", stay);
  }, [changed]);

  if (!full) return <p class="soft">{store.whyNot}. The first view shows what runs.</p>;
  if (text === undefined) return <p class="soft">Asking …</p>;

  const apply = (): Promise<unknown> => store.attempt("In force, in all workers.", draft.apply);
  return (
    <>
      <div class="editor-bar">
        <p id="editor-verdict" role="status" class={problems.length > 0 ? "wrong" : "soft"}>
          <Verdict problems={problems.length} checking={checking} changed={changed} />
        </p>
        <div class="buttons">
          {changed && (
            <button type="button" class="plain" onClick={draft.discard}>
              Start over
            </button>
          )}
          <ChangeButton
            kind="main"
            disabled={!changed || checking || problems.length > 0}
            onPress={apply}
          >
            Apply
          </ChangeButton>
        </div>
      </div>
      {draft.outdated && (
        <p class="banner warn" role="status">
          <Icon name="warn" />
          <span>
            Somebody else has changed the config since you began. Copy what you need, then start
            over.
          </span>
        </p>
      )}
      {problems.length > 0 && (
        <ul class="problems" aria-label="Problems">
          {problems.map((problem) => (
            <li key={`${problem.line} ${problem.column} ${problem.message}`}>
              <button type="button" onClick={() => area.current && goTo(area.current, problem)}>
                <span class="mono">
                  {problem.line}:{problem.column}
                </span>{" "}
                {problem.path && <span class="mono soft">{problem.path}: </span>}
                {problem.message}
              </button>
            </li>
          ))}
        </ul>
      )}
      <Editor
        text={text}
        problems={problems as readonly Problem[]}
        disabled={false}
        label="The config"
        describedBy="editor-verdict"
        area={area}
        onInput={draft.type}
      />
      <p class="soft">
        Secrets show as <code>***</code>: those left so stay as they are. Apply puts all of it in
        force or nothing; the file changes when you save.
      </p>
    </>
  );
}

function Verdict(props: {
  readonly problems: number;
  readonly checking: boolean;
  readonly changed: boolean;
}): JSX.Element {
  if (props.problems > 0)
    return (
      <>
        <Icon name="warn" /> {props.problems === 1 ? "One problem" : `${props.problems} problems`}
      </>
    );
  if (props.checking) return <>Checking …</>;
  if (!props.changed) return <>As it runs</>;
  return (
    <>
      <Icon name="up" /> No problems
    </>
  );
}
