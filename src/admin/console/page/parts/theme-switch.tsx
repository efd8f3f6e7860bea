import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";

import { applyTheme, chosenTheme, type Theme } from "../state/theme.ts";
import { Icon, type IconName } from "./icon.tsx";

const THEMES: readonly { readonly theme: Theme; readonly icon: IconName; readonly text: string }[] =
  [
    { theme: "auto", icon: "auto", text: "As the system" },
    { theme: "light", icon: "sun", text: "Light" },
    { theme: "dark", icon: "moon", text: "Dark" },
  ];

/** Light, dark, or as the system says. */
export function ThemeSwitch(): JSX.Element {
  const [chosen, setChosen] = useState(chosenTheme);
  const group = useId();
  return (
    <fieldset class="theme-switch">
      <legend class="unseen">Appearance</legend>
      {THEMES.map(({ theme, icon, text }) => (
        <label key={theme} title={text}>
          <input
            type="radio"
            name={group}
            class="unseen"
            checked={chosen === theme}
            onChange={() => {
              applyTheme(theme);
              setChosen(theme);
            }}
          />
          <Icon name={icon} />
          <span class="unseen">{text}</span>
        </label>
      ))}
    </fieldset>
  );
}
