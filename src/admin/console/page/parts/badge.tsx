import type { JSX } from "preact";

import type { Condition, Tone } from "./condition.ts";
import { Icon, type IconName } from "./icon.tsx";

/** A state in a word, with a shape and a colour that say the same. */
export function Badge(props: {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly children: string;
}): JSX.Element {
  return (
    <span class={`badge ${props.tone}`}>
      <Icon name={props.icon} />
      {props.children}
    </span>
  );
}

export function ConditionBadge(props: { readonly is: Condition }): JSX.Element {
  const { tone, icon, word } = props.is;
  return (
    <Badge tone={tone} icon={icon}>
      {word}
    </Badge>
  );
}
