import { useEffect, useState } from "preact/hooks";

import { useStore } from "../parts/context.tsx";
import type { Problem } from "../state/answers.ts";
import type { Api } from "../state/api.ts";

/** Typing rests for this long before it is checked. */
const REST_MS = 350;

async function read(api: Api): Promise<Running> {
  const response = await api.open("config", {});
  const tag = response.headers.get("etag")?.replaceAll('"', "");
  return { text: await response.text(), generation: Number(tag) };
}

interface Running {
  readonly text: string;
  readonly generation: number;
}

export interface Draft {
  /** Undefined until the running config has come. */
  readonly text: string | undefined;
  readonly changed: boolean;
  readonly checking: boolean;
  readonly problems: readonly Problem[];
  /** What runs is no longer what it began from. */
  readonly outdated: boolean;
  readonly type: (text: string) => void;
  readonly discard: () => void;
  /** Rejects with Refused. */
  readonly apply: () => Promise<void>;
}

/** A config being written. It outlives the page it is written on, until the browser leaves. */
export function useDraft(): Draft {
  const store = useStore();
  const [, again] = useState(0);
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const [checking, setChecking] = useState(false);
  const [running, setRunning] = useState<Running | undefined>(undefined);
  const { generation, unsaved } = store.figures?.status ?? {};
  const { draft } = store;
  const text = draft?.text ?? running?.text;
  const changed = draft !== undefined && draft.text !== draft.base;

  useEffect(() => {
    let wanted = true;
    void read(store.api).then(
      (now) => wanted && setRunning(now),
      () => {}, // the link banner or the login page says why
    );
    return () => {
      wanted = false;
    };
  }, [generation, unsaved]);

  useEffect(() => {
    if (!changed || text === undefined) {
      setProblems([]);
      setChecking(false);
      return;
    }
    let wanted = true;
    setChecking(true);
    const timer = setTimeout(() => {
      void store.api
        .send<{ readonly problems: readonly Problem[] }>("POST", "config/check", { text })
        .then(
          (answer) => answer.problems,
          (): readonly Problem[] => [], // Apply will say what is wrong
        )
        .then((found) => {
          if (!wanted) return;
          setProblems(found);
          setChecking(false);
        });
    }, REST_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [text, changed]);

  const put = (next: typeof draft): void => {
    store.draft = next;
    again((n) => n + 1);
  };
  return {
    text,
    changed,
    checking,
    problems,
    outdated: changed && running !== undefined && running.text !== draft.base,
    type: (typed) => {
      const { text = "", generation = 0 } = running ?? {};
      put({ base: text, generation, ...draft, text: typed });
    },
    discard: () => put(undefined),
    apply: async () => {
      if (!draft) return;
      await store.api.send("PUT", "config", { text: draft.text, base: draft.generation });
      put(undefined); // the next figures bring the text as it now runs
    },
  };
}
