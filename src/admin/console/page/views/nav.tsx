import type { ComponentChildren, JSX } from "preact";

import { condition } from "../parts/condition.ts";
import { useStore } from "../parts/context.tsx";
import { Icon, type IconName, Mark } from "../parts/icon.tsx";
import { ThemeSwitch } from "../parts/theme-switch.tsx";
import { balanceOf, poolsOf } from "../state/health.ts";
import { href, type Route } from "../state/route.ts";
import { LinkState } from "./link-state.tsx";

/** Services that have pages of their own. */
const OWN_PAGES: readonly string[] = ["pools", "balance"];

/** The way to everywhere, who you are, and how it looks. */
export function Nav({ route }: { readonly route: Route }): JSX.Element {
  const store = useStore();
  const { figures, me } = store;
  const has = (name: string): boolean => store.changes[name] !== undefined;
  const others = store.services.filter((s) => !OWN_PAGES.includes(s.name));
  const named = "name" in route ? route.name : undefined;
  return (
    <>
      <div class="brand-row">
        <a class="brand" href={href()}>
          <Mark /> tern
        </a>
        <LinkState />
      </div>
      <nav aria-label="Pages">
        <ul>
          <Item to={href()} icon="overview" here={route.page === "overview"}>
            Overview
          </Item>
          {has("pools") && (
            <Item to={href("pools")} icon="pools" here={route.page === "pools"}>
              Pools
            </Item>
          )}
          {poolsOf(figures).map(([name, { hosts }]) => {
            const bad = Object.values(hosts).filter((h) => condition(h).tone === "bad").length;
            return (
              <Item
                key={name}
                to={href("pool", name)}
                sub
                here={route.page === "pool" && named === name}
              >
                <span class="name">{name}</span>
                {bad > 0 && <span class="count bad">{bad} down</span>}
              </Item>
            );
          })}
          {has("balance") && (
            <Item to={href("balance")} icon="balance" here={route.page === "balance"}>
              Balance
            </Item>
          )}
          {balanceOf(figures).map(([name]) => (
            <Item
              key={name}
              to={href("balance", name)}
              sub
              here={route.page === "balance-service" && named === name}
            >
              <span class="name">{name}</span>
            </Item>
          ))}
          {others.map(({ name }) => (
            <Item
              key={name}
              to={href("service", name)}
              icon="service"
              here={route.page === "service" && named === name}
            >
              <span class="name">{name}</span>
            </Item>
          ))}
        </ul>
        <ul>
          <Item to={href("events")} icon="events" here={route.page === "events"}>
            Events
          </Item>
          <Item to={href("config")} icon="config" here={route.page === "config"}>
            Config
          </Item>
          <Item to={href("users")} icon="users" here={route.page === "users"}>
            Users
          </Item>
        </ul>
      </nav>
      <div class="sidebar-foot">
        <div class="who">
          <span class="who-name">{me?.name}</span>
          <span class="soft">{me?.access === "full" ? "full access" : "read only"}</span>
          {me?.by === "cookie" && (
            <button
              type="button"
              class="icon-button"
              aria-label="Log out"
              title="Log out"
              onClick={() => void store.logOut()}
            >
              <Icon name="out" />
            </button>
          )}
        </div>
        <div class="foot-row">
          <ThemeSwitch />
          <span class="soft">{figures?.status.version}</span>
        </div>
      </div>
    </>
  );
}

function Item(props: {
  readonly to: string;
  readonly here: boolean;
  readonly icon?: IconName;
  readonly sub?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <li class={props.sub ? "sub" : ""}>
      <a href={props.to} {...(props.here && { "aria-current": "page" as const })}>
        {props.icon && <Icon name={props.icon} />}
        {props.children}
      </a>
    </li>
  );
}
