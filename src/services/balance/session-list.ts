import * as v from "valibot";

import { key } from "../../config/key.ts";
import { showAddress } from "../../core/address.ts";
import type { Host } from "../service.ts";
import type { Connection } from "./connection.ts";
import type { Counted, Sessions } from "./sessions.ts";
import type { Way } from "./way.ts";

const MAX_LISTED = 1000;

const limit: v.GenericSchema<unknown, number> = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(MAX_LISTED),
);

export const sessionsInput = v.strictObject({
  service: v.optional(v.pipe(v.string(), v.description("Only those of this service."))),
  limit: key(limit, 100, "How many of each worker, the oldest first."),
});

/** One open connection, as operators see it. */
export interface SessionRow {
  readonly id: number;
  readonly service: string;
  readonly client: string;
  readonly pool: string;
  readonly server: string;
  readonly step: string;
  /** Seconds since it was accepted. */
  readonly age: number;
  /** Bytes from the client, and to it. */
  readonly up: number;
  readonly down: number;
  readonly relay: string;
}

/** A service, as its connections are listed. */
export interface Listed {
  readonly name: string;
  readonly sessions: Sessions<Counted & { readonly id: number }>;
  rows(now: number): Iterable<SessionRow>;
}

/** The oldest connections that are open. */
export function sessionsOf(
  balancers: readonly Listed[],
  input: v.InferOutput<typeof sessionsInput>,
  { reactor }: Pick<Host, "reactor">,
): { sessions: SessionRow[] } {
  const sessions: SessionRow[] = [];
  for (const balancer of balancers) {
    if (input.service !== undefined && balancer.name !== input.service) continue;
    for (const row of balancer.rows(reactor.now)) {
      if (sessions.length >= input.limit) break;
      sessions.push(row);
    }
  }
  return { sessions };
}

/** Of a TCP connection. */
export function rowOf(connection: Connection, way: Way, now: number): SessionRow {
  const { id, service, remote, pool, server, step, up, down, began } = connection;
  return {
    id,
    service,
    client: showAddress({ kind: "tcp", host: remote.address, port: remote.port }),
    pool: pool?.name ?? "",
    server: server?.name ?? "",
    step,
    age: Math.max(0, Math.round((now - began) / 1000)),
    up,
    down,
    relay: way.carrier(connection) ?? "",
  };
}

export const killInput = v.strictObject({
  service: v.string(),
  id: v.pipe(v.number(), v.integer()),
});

/** How many were ended: 1, or 0 when there is none of that number here. */
export function kill(
  balancers: readonly Listed[],
  { service, id }: v.InferOutput<typeof killInput>,
): { killed: number } {
  for (const balancer of balancers) {
    if (balancer.name !== service) continue;
    for (const connection of balancer.sessions.open) {
      if (connection.id !== id) continue;
      connection.end("killed", true);
      return { killed: 1 };
    }
  }
  return { killed: 0 };
}
