import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { useStore } from "../parts/context.tsx";
import { Icon, Mark } from "../parts/icon.tsx";
import { ThemeSwitch } from "../parts/theme-switch.tsx";

/** Who are you? Also where a session that has ended leads; the address keeps where they were. */
export function Login(): JSX.Element {
  const store = useStore();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);

  const submit = async (): Promise<void> => {
    setBusy(true);
    setWrong("");
    try {
      await store.logIn(name, password);
    } catch (error) {
      setWrong(sentence(error));
      setPassword("");
    }
    setBusy(false);
  };

  return (
    <main class="login">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <header>
          <Mark />
          <h1>tern</h1>
        </header>
        {store.notice !== "" && (
          <p class="notice" role="status">
            <Icon name="info" /> {store.notice}
          </p>
        )}
        <label>
          Name
          <input
            name="name"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
            ref={first}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <label>
          Password
          <input
            name="password"
            type="password"
            autocomplete="current-password"
            required
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
        <p class="wrong" role="alert">
          {wrong !== "" && (
            <>
              <Icon name="warn" /> {wrong}
            </>
          )}
        </p>
        <button class="main" disabled={busy}>
          {busy ? "Checking …" : "Log in"}
        </button>
      </form>
      <ThemeSwitch />
    </main>
  );
}

function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
