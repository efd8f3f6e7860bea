import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { useStore } from "../parts/context.tsx";
import { Diff } from "../parts/diff.tsx";
import { Icon } from "../parts/icon.tsx";
import { Head, Panel } from "../parts/page.tsx";
import { YamlText } from "../parts/yaml-text.tsx";
import type { FileDiff } from "../state/answers.ts";
import { ago } from "../state/format.ts";
import { href } from "../state/route.ts";
import { ConfigEditor } from "./config-editor.tsx";

const TABS = [
  { tab: "running", text: "Running", to: href("config") },
  { tab: "edit", text: "Edit", to: href("config", "edit") },
  { tab: "diff", text: "Running and file", to: href("config", "diff") },
] as const;

/** The config in force: to read, to change, and how it differs from its file. */
export function Config({ tab }: { readonly tab: "running" | "edit" | "diff" }): JSX.Element {
  const store = useStore();
  return (
    <>
      <Head title="Config" about={<span class="mono">{store.figures?.status.config}</span>} />
      <nav class="tabs" aria-label="Views of the config">
        {TABS.map(({ tab: other, text, to }) => (
          <a key={other} href={to} {...(other === tab && { "aria-current": "page" as const })}>
            {text}
          </a>
        ))}
      </nav>
      {tab === "running" && <Running />}
      {tab === "edit" && <ConfigEditor />}
      {tab === "diff" && <Differences />}
    </>
  );
}

/** Asked for again whenever another config is in force. */
function useAnswer<T>(path: string): T | undefined {
  const store = useStore();
  const [answer, setAnswer] = useState<T | undefined>(undefined);
  const { generation, unsaved } = store.figures?.status ?? {};
  useEffect(() => {
    let wanted = true;
    store.api.get<T>(path).then(
      (value) => {
        if (wanted) setAnswer(value);
      },
      (error: unknown) =>
        store.toast("bad", error instanceof Error ? error.message : String(error)),
    );
    return () => {
      wanted = false;
    };
  }, [path, generation, unsaved]);
  return answer;
}

function Running(): JSX.Element {
  const text = useAnswer<string>("config");
  if (text === undefined) return <p class="soft">Asking …</p>;
  return (
    <>
      <p class="soft">What runs now. Secrets are masked.</p>
      <div class="editor" tabIndex={0} role="region" aria-label="The config in force">
        <pre class="editor-page">
          <YamlText text={text.replace(/\n$/, "")} />
        </pre>
      </div>
    </>
  );
}

function Differences(): JSX.Element {
  const answer = useAnswer<FileDiff>("config/diff");
  if (answer === undefined) return <p class="soft">Asking …</p>;
  const { diff, changedOnDisk, unsaved } = answer;
  if (diff === "") return <p>What runs is what the file says.</p>;
  return (
    <>
      {changedOnDisk && (
        <p class="banner warn">
          <Icon name="warn" />
          <span>The file was changed by somebody else since it was read.</span>
        </p>
      )}
      {unsaved.length > 0 && (
        <Panel title="Changes not in the file" about={`${unsaved.length}`}>
          <ul class="plain-list">
            {unsaved.map(({ at, who, what }, i) => (
              <li key={i}>
                {what} <span class="soft">{`${who}, ${ago(at)}`}</span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      <p class="soft">
        From the file (−) to what runs (+). Saving writes the second into the first, comments kept.
      </p>
      <Diff text={diff} />
    </>
  );
}
