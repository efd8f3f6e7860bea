import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { useStore } from "../parts/context.tsx";
import { Icon, Mark } from "../parts/icon.tsx";
import type { Route } from "../state/route.ts";
import { LinkBanner, LinkState } from "./link-state.tsx";
import { Nav } from "./nav.tsx";
import { Unsaved } from "./unsaved.tsx";

/** What is around every page: the way elsewhere, how fresh the figures are, what is not saved. */
export function Shell(props: {
  readonly route: Route;
  readonly children: ComponentChildren;
}): JSX.Element {
  const [open, setOpen] = useState(false);
  const store = useStore();
  const place = JSON.stringify(props.route);
  useEffect(() => setOpen(false), [place]);
  return (
    <div class={`shell ${open ? "nav-open" : ""}`}>
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault(); // the address is where we are
          document.querySelector<HTMLElement>("h1")?.focus();
        }}
      >
        Skip to the content
      </a>
      <header
        class="around"
        onKeyDown={(event) => {
          if (event.key === "Escape") setOpen(false);
        }}
      >
        <div class="topbar">
          <button
            type="button"
            class="icon-button"
            aria-label="Menu"
            aria-expanded={open}
            aria-controls="nav"
            onClick={() => setOpen(!open)}
          >
            <Icon name={open ? "close" : "menu"} />
          </button>
          <span class="brand">
            <Mark /> tern
          </span>
          <LinkState />
        </div>
        <div class="sidebar" id="nav">
          <Nav route={props.route} />
        </div>
      </header>
      <div class="shade" onClick={() => setOpen(false)} />
      <main id="content">
        <LinkBanner />
        <Unsaved />
        {store.whyNot !== "" && (
          <p class="banner quiet">
            <Icon name="info" /> <span>{store.whyNot}.</span>
          </p>
        )}
        {props.children}
      </main>
    </div>
  );
}
