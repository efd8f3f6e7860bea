import { createContext } from "preact";
import { useContext } from "preact/hooks";

import type { Store } from "../state/store.ts";

/** One store for the whole page; `App` draws everything again when it has changed. */
export const StoreContext = createContext<Store | undefined>(undefined);

export function useStore(): Store {
  const store = useContext(StoreContext);
  if (!store) throw new Error("drawn outside of the app");
  return store;
}
