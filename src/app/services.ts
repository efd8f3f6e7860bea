import type { GenericSchema } from "valibot";

import { balance } from "../services/balance/balance.ts";
import { dns } from "../services/dns/dns.ts";
import { pools } from "../services/pools/pools.ts";
import { proxy } from "../services/proxy/proxy.ts";
import type { Service } from "../services/service.ts";
import { store } from "../services/store/store.ts";
import { tunnel } from "../services/tunnel/tunnel.ts";
import { web } from "../services/web/web.ts";

/** What this appliance can do, in the order it is started: pools before who uses them. A new service is one line here. */
// oxlint-disable-next-line typescript/no-explicit-any -- each has its own Config; its schema makes it
export const SERVICES: readonly Service<any>[] = [pools, web, dns, balance, proxy, tunnel, store];

/** Sections of the contract that are not built yet: refused with these words, never ignored. */
export const LATER: readonly string[] = ["push", "stack", "chaos"];

/** The schema of every section, for the loader and `tern schema`. */
export const SECTIONS: Readonly<Record<string, GenericSchema>> = Object.fromEntries(
  SERVICES.map((service) => [service.name, service.schema]),
);
