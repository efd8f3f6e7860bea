import type { ComponentChildren, JSX } from "preact";

/** A page's head: its title, what it is about, and what can be done with all of it. */
export function Head(props: {
  readonly title: string;
  readonly back?: { readonly href: string; readonly text: string };
  readonly about?: ComponentChildren;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <header class="page-head">
      <div>
        {props.back && (
          <a class="back" href={props.back.href}>
            {props.back.text}
          </a>
        )}
        <h1 tabIndex={-1}>{props.title}</h1>
        {props.about !== undefined && <p class="soft">{props.about}</p>}
      </div>
      {props.children !== undefined && <div class="buttons">{props.children}</div>}
    </header>
  );
}

/** A part of a page. */
export function Panel(props: {
  readonly title: string;
  readonly about?: ComponentChildren;
  readonly side?: ComponentChildren;
  readonly class?: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <section class={`panel ${props.class ?? ""}`}>
      <header>
        <h2>{props.title}</h2>
        {props.about !== undefined && <span class="soft">{props.about}</span>}
        {props.side !== undefined && <div class="side">{props.side}</div>}
      </header>
      {props.children}
    </section>
  );
}

/** One figure, large. */
export function Tile(props: {
  readonly label: string;
  readonly value: string;
  readonly note?: string;
  readonly bad?: boolean;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class={`tile ${props.bad ? "bad" : ""}`}>
      <span class="label">{props.label}</span>
      <strong>{props.value}</strong>
      {props.note !== undefined && <span class="soft">{props.note}</span>}
      {props.children}
    </div>
  );
}
