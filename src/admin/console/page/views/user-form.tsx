import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { Modal } from "../parts/modal.tsx";
import type { User } from "./users.tsx";

const LEAST_CHARS = 8;

export interface UserChange {
  readonly name: string;
  readonly access: User["access"];
  /** Undefined leaves it as it is. */
  readonly password?: string;
}

/** A new user, or another password or access for one. */
export function UserForm(props: {
  readonly user: User | undefined;
  readonly onPut: (change: UserChange) => Promise<unknown>;
  readonly onClose: () => void;
}): JSX.Element {
  const { user } = props;
  const [name, setName] = useState(user?.name ?? "");
  const [password, setPassword] = useState("");
  const [access, setAccess] = useState<User["access"]>(user?.access ?? "readonly");
  const [busy, setBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setBusy(true);
    await props.onPut({ name, access, ...(password !== "" && { password }) });
    setBusy(false);
  };
  return (
    <Modal title={user ? `Change ${user.name}` : "Add a user"} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <div class="field">
          <label for="user-name">Name</label>
          <input
            id="user-name"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            required
            pattern="[^\s:]+"
            title="without spaces and colons"
            readOnly={user !== undefined}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </div>
        <div class="field">
          <label for="user-password">
            Password{user && <span class="soft"> (empty leaves it as it is)</span>}
          </label>
          <input
            id="user-password"
            type="password"
            autocomplete="new-password"
            required={!user}
            minLength={LEAST_CHARS}
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
          <p class="hint">At least {LEAST_CHARS} characters. Kept as a hash only.</p>
        </div>
        <fieldset class="field">
          <legend>Access</legend>
          {(["readonly", "full"] as const).map((kind) => (
            <label class="radio" key={kind}>
              <input
                type="radio"
                name="access"
                checked={access === kind}
                onChange={() => setAccess(kind)}
              />
              {kind === "full" ? "Full: may change things" : "Read only: may look"}
            </label>
          ))}
        </fieldset>
        <div class="buttons">
          <button class="main" disabled={busy}>
            {user ? "Change" : "Add"}
          </button>
        </div>
      </form>
    </Modal>
  );
}
