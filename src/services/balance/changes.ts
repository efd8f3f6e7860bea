import * as v from "valibot";

import type { Plain, Written } from "../../config/edit.ts";
import { addressList } from "../../config/scalars.ts";
import { showAddress } from "../../core/address.ts";
import type { Change } from "../service.ts";
import { name } from "./config.ts";

const service = v.pipe(v.string(), v.description("A service of `balance:`."));
const group = v.pipe(v.string(), v.description("One of its groups."));
const pool = v.pipe(v.string(), v.description("A pool of `pools:`."));

const enable: Change<{ service: string; group: string }> = {
  about: "send new connections to another group; those that are open go on",
  input: v.strictObject({ service, group }),
  edits(input, config) {
    if (!groupsOf(config, input.service).includes(input.group)) throw noGroup(input);
    return [{ kind: "set", path: ["balance", input.service, "enable"], value: input.group }];
  },
};

const addService: Change<{
  service: string;
  listen: v.InferOutput<typeof addressList>;
  group: string;
  pool: string;
}> = {
  about: "another service with one group",
  input: v.strictObject({ service: name, listen: addressList, group: name, pool }),
  edits(input, config) {
    if (config.at(["balance", input.service]) !== undefined)
      throw new Error(`there is a service "${input.service}" already`);
    const value: Plain = {
      listen: input.listen.map(showAddress),
      groups: { [input.group]: { pool: input.pool } },
      enable: input.group,
    };
    return [{ kind: "set", path: ["balance", input.service], value }];
  },
};

const removeService: Change<{ service: string }> = {
  about: "take a service away; its connections may finish",
  input: v.strictObject({ service }),
  edits(input, config) {
    mustBe(config, input.service);
    return [{ kind: "remove", path: ["balance", input.service] }];
  },
};

const addGroup: Change<{ service: string; group: string; pool: string }> = {
  about: "another group for a service; it is not enabled by that",
  input: v.strictObject({ service, group: name, pool }),
  edits(input, config) {
    if (groupsOf(config, input.service).includes(input.group))
      throw new Error(`${input.service} has a group "${input.group}" already`);
    const path = ["balance", input.service, "groups", input.group];
    return [{ kind: "set", path, value: { pool: input.pool } }];
  },
};

const removeGroup: Change<{ service: string; group: string }> = {
  about: "take a group away that is not enabled",
  input: v.strictObject({ service, group }),
  edits(input, config) {
    const groups = groupsOf(config, input.service);
    if (!groups.includes(input.group)) throw noGroup(input);
    const enabled = config.at(["balance", input.service, "enable"]) ?? groups[0];
    if (enabled === input.group)
      throw new Error(`"${input.group}" is the enabled group of ${input.service}: enable another`);
    return [{ kind: "remove", path: ["balance", input.service, "groups", input.group] }];
  },
};

/** What an operator may change while it runs. */
export const changes = {
  enable,
  "add-service": addService,
  "remove-service": removeService,
  "add-group": addGroup,
  "remove-group": removeGroup,
};

function mustBe(config: Written, wanted: string): void {
  if (config.at(["balance", wanted]) === undefined)
    throw new Error(`there is no service "${wanted}"`);
}

function groupsOf(config: Written, wanted: string): string[] {
  mustBe(config, wanted);
  return Object.keys(Object(config.at(["balance", wanted, "groups"])));
}

function noGroup(input: { service: string; group: string }): Error {
  return new Error(`${input.service} has no group "${input.group}"`);
}
