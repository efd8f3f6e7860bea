import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";

import type { Form, Plain } from "../state/answers.ts";
import { capital, title } from "../state/format.ts";
import { useStore } from "./context.tsx";
import { type Field, fieldsOf, inputOf } from "./fields.ts";

/** With more fields than this, those that need not be filled in are folded away, beside those that must. */
const FEW = 4;

/** A form for whatever a service can be asked, drawn from the JSON Schema of its input. */
export function SchemaForm(props: {
  readonly form: Form;
  /** What is known already and not asked. */
  readonly fixed?: Plain;
  readonly action: string;
  readonly danger?: boolean;
  readonly onSubmit: (input: Plain) => Promise<unknown>;
}): JSX.Element {
  const store = useStore();
  const fixed = props.fixed ?? {};
  const fields = fieldsOf(props.form.input, Object.keys(fixed));
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const [wrong, setWrong] = useState<Readonly<Record<string, string>>>({});
  const [busy, setBusy] = useState(false);

  const optional = fields.filter((field) => !field.required);
  const spared = fields.length > FEW && optional.length < fields.length ? optional : [];
  const drawn = (field: Field): JSX.Element => (
    <Labelled
      key={field.name}
      field={field}
      value={typed[field.name] ?? ""}
      wrong={wrong[field.name]}
      onInput={(value) => setTyped({ ...typed, [field.name]: value })}
    />
  );

  const submit = async (): Promise<void> => {
    const read = inputOf(fields, typed);
    setWrong(read.wrong);
    if (Object.keys(read.wrong).length > 0) return;
    setBusy(true);
    await props.onSubmit({ ...fixed, ...read.input }).finally(() => setBusy(false));
  };

  return (
    <form
      class="schema-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {fields.filter((field) => !spared.includes(field)).map(drawn)}
      {spared.length > 0 && (
        <details class="more">
          <summary>More, all optional</summary>
          {spared.map(drawn)}
        </details>
      )}
      <div class="buttons">
        <button
          type="submit"
          class={props.danger ? "danger" : "main"}
          disabled={busy || !store.full}
          {...(store.whyNot !== "" && { title: store.whyNot })}
        >
          {props.action}
        </button>
      </div>
    </form>
  );
}

function Labelled(props: {
  readonly field: Field;
  readonly value: string;
  readonly wrong: string | undefined;
  readonly onInput: (value: string) => void;
}): JSX.Element {
  const { field, value, wrong, onInput } = props;
  const id = useId();
  const described = `${id}-about`;
  const common = {
    id,
    value,
    "aria-describedby": described,
    "aria-invalid": wrong !== undefined,
    "aria-required": field.required,
  };
  return (
    <div class="field">
      <label for={id}>
        {capital(title(field.name))}
        {!field.required && <span class="soft"> (optional)</span>}
      </label>
      {field.kind === "choice" || field.kind === "yes-no" ? (
        <select {...common} onChange={(event) => onInput(event.currentTarget.value)}>
          <option value="">{field.fallback === "" ? "–" : `– (${field.fallback})`}</option>
          {(field.kind === "choice" ? field.choices : ["yes", "no"]).map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : field.kind === "list" || field.kind === "json" ? (
        <textarea
          {...common}
          rows={3}
          placeholder={field.kind === "json" ? "JSON" : "one a line"}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      ) : (
        <input
          {...common}
          type="text"
          inputMode={field.kind === "number" ? "decimal" : "text"}
          placeholder={field.fallback}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
      <p class="hint" id={described}>
        {wrong === undefined ? field.about : <span class="wrong">{wrong}</span>}
      </p>
    </div>
  );
}
