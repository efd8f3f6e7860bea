import type { JSX } from "preact";
import { useEffect, useReducer, useRef, useState } from "preact/hooks";

import { StoreContext } from "../parts/context.tsx";
import { Toasts } from "../parts/toasts.tsx";
import { parseRoute, type Route } from "../state/route.ts";
import type { Store } from "../state/store.ts";
import { BalanceService } from "./balance-service.tsx";
import { Balance } from "./balance.tsx";
import { Config } from "./config.tsx";
import { Events } from "./events.tsx";
import { Login } from "./login.tsx";
import { Lost } from "./lost.tsx";
import { Overview } from "./overview.tsx";
import { Pool } from "./pool.tsx";
import { Pools } from "./pools.tsx";
import { Service } from "./service.tsx";
import { Shell } from "./shell.tsx";
import { Users } from "./users.tsx";

/** The whole page. Draws itself again whenever the store or the address has changed. */
export function App({ store }: { readonly store: Store }): JSX.Element {
  const [, again] = useReducer((n: number) => n + 1, 0);
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  const first = useRef(true);

  useEffect(() => store.subscribe(() => again(undefined)), [store]);
  useEffect(() => {
    const moved = (): void => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  useEffect(() => {
    // A new page begins at its top and at its title, for eyes and for screen readers.
    if (!first.current) {
      scrollTo(0, 0);
      document.querySelector<HTMLElement>("h1")?.focus();
    }
    first.current = false;
  }, [JSON.stringify(route)]);
  useEffect(() => {
    document.title = `${store.phase === "in" ? titleOf(route) : "Log in"} · tern`;
  }, [JSON.stringify(route), store.phase]);

  return (
    <StoreContext.Provider value={store}>
      {store.phase === "starting" ? null : store.phase === "stranger" ? (
        <Login />
      ) : (
        <Shell route={route}>
          <Page route={route} />
        </Shell>
      )}
      <Toasts />
    </StoreContext.Provider>
  );
}

function Page({ route }: { readonly route: Route }): JSX.Element {
  switch (route.page) {
    case "overview":
      return <Overview />;
    case "pools":
      return <Pools />;
    case "pool":
      return <Pool key={route.name} name={route.name} />;
    case "balance":
      return <Balance />;
    case "balance-service":
      return <BalanceService key={route.name} name={route.name} />;
    case "service":
      return <Service key={route.name} name={route.name} />;
    case "events":
      return <Events />;
    case "config":
      return <Config tab={route.tab} />;
    case "users":
      return <Users />;
    case "lost":
      return <Lost what="page" />;
  }
}

function titleOf(route: Route): string {
  return "name" in route ? route.name : route.page.charAt(0).toUpperCase() + route.page.slice(1);
}
