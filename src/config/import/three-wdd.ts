import { stringify } from "yaml";

import { parseCidr } from "../../core/cidr.ts";
import { parseIp } from "../../core/ip.ts";
import type { Setting } from "./ini.ts";

/** Lines of [3wdd] that are no tunnels. */
const SETTINGS = ["mode", "encrypt", "dial", "io_mode", "relay", "routing_metric"];
/** Ways to hide a packet, and what they are called; nothing at all is `off`. */
const CIPHERS = [
  "aes-128-ecb",
  "aes-128-cbc",
  "aes-128-cfb",
  "aes-128-ctr",
  "blowfish-cbc",
  "blowfish-cfb",
  "blowfish-ctr",
];
const SQUEEZES: Readonly<Record<string, string>> = { zlib: "zlib", compress: "zlib", lzo: "lzo" };
const SCRIPTS: Readonly<Record<string, string>> = {
  ifup: "up",
  ifdown: "down",
  rtch: "route_change",
};
const PORT = 9000;
/** IFNAMSIZ, without the NUL. */
const NAME = /^[a-z0-9][\w.-]{0,14}$/;
const [MIN_MTU, MAX_MTU] = [576, 65_535];
const MOST_WAITING = 1_000_000;

/** [3wdd] as tunnels with `legacy`, to which nothing is added: their keys are to be made first. */
export function oldTunnels(
  settings: readonly Setting[],
  note: (line: number, message: string) => void,
): string {
  const set = (name: string) => settings.find((setting) => setting.name === name);
  const encrypt = set("encrypt")?.value.toLowerCase() ?? "";
  const dialled = set("dial")
    ?.value.split(",")
    .map((name) => name.trim().toLowerCase());
  const relay = set("relay");
  if (relay !== undefined && relay.value !== "")
    note(relay.line, "relay: tunnels are not relayed: left out");
  const io = set("io_mode");
  if (io !== undefined) note(io.line, "io_mode: there is one way only: left out");
  const tunnels: string[] = [];
  for (const { name, value, line } of settings) {
    if (SETTINGS.includes(name)) continue;
    const made =
      NAME.test(name) && !(name in {}) ? tunnel(value, encrypt) : "its name can be no device's";
    if (typeof made === "string") {
      note(line, `${name}: ${made}: left out`); // never the value: it holds the token
      continue;
    }
    for (const remark of made.remarks) note(line, `${name}: ${remark}`);
    if ("peer" in made.values && dialled !== undefined && !dialled.includes(name))
      note(line, `${name}: 3wdd did not dial it; here it is dialled`);
    note(
      line,
      `${name}: is carried with \`legacy: true\`, which protects nobody; make keys for both ends`,
    );
    const options = { collectionStyle: "flow", lineWidth: 0 } as const;
    tunnels.push(`  ${name}:\n`);
    for (const [key, given] of Object.entries(made.values))
      tunnels.push(`    ${key}: ${stringify(given, options).trimEnd()}\n`);
  }
  return tunnels.length === 0 ? "" : `tunnel:\n${tunnels.join("")}`;
}

interface Made {
  readonly values: Record<string, unknown>;
  readonly remarks: string[];
}

/** local:peer:mtu:txqueuelen:token[:enc,zip][:host:port][:routes]; a string says what is wrong with it. */
function tunnel(value: string, encrypt: string): Made | string {
  const fields = value.split(":").map((field) => field.trim());
  const [local = "", remote = "", mtu = "", queue = "", token = "", ways = "", ...rest] = fields;
  if (fields.length < 5 || fields.length > 9) return "it has another number of fields than 5 to 9";
  if (parseIp(local)?.version !== 4 || parseIp(remote)?.version !== 4)
    return "it does not begin with two addresses";
  if (!within(mtu, MIN_MTU, MAX_MTU)) return `its MTU is none from ${MIN_MTU} to ${MAX_MTU}`;
  if (!within(queue, 1, MOST_WAITING)) return "its txqueuelen is none";
  if (token === "" || /\s/.test(token)) return "it has no token";
  const remarks: string[] = [];
  const [enc = "", zip = ""] = ways.toLowerCase().split(",");
  // What a session says by "off" or nothing is overruled by `encrypt`.
  const wanted = enc === "" || enc === "off" ? encrypt : enc;
  const cipher = wanted === "on" ? "aes-128-ecb" : CIPHERS.find((one) => one === wanted);
  if (cipher === undefined && wanted !== "" && wanted !== "off")
    return "its cipher is none of 3wdd's";
  const client = rest.length >= 2;
  const [host = "", port = ""] = client ? rest : [];
  const routes = (client ? rest[2] : rest[0]) ?? "";
  const values: Record<string, unknown> = { legacy: true };
  if (client) {
    const redirected = !port.startsWith("-");
    const number = port === "" ? String(PORT) : port.replace(/^-/, "");
    if (!within(number, 1, MAX_MTU) || !/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(host))
      return "its server is none";
    if (!redirected) remarks.push("may be sent to another port of the server, too");
    values["peer"] = `${host}:${number}`;
  } else values["listen"] = `:${PORT}`;
  Object.assign(values, { local, remote, mtu: Number(mtu), txqueuelen: Number(queue), token });
  values["cipher"] = cipher ?? "off";
  const squeeze = Object.hasOwn(SQUEEZES, zip) ? SQUEEZES[zip] : undefined;
  if (squeeze !== undefined) values["compress"] = squeeze;
  return { values: { ...values, ...ways3wdd(routes, remarks) }, remarks };
}

/** net/mask, net/mask/metric, ifup=PATH, ifdown=PATH, rtch=PATH. */
function ways3wdd(text: string, remarks: string[]): Record<string, unknown> {
  const routes: string[] = [];
  const scripts: Record<string, string> = {};
  for (const item of text.split(",").map((one) => one.trim())) {
    if (item === "") continue;
    const [, event = "", path = ""] = /^(ifup|ifdown|rtch)=(\/[\w./-]+)$/.exec(item) ?? [];
    const script = SCRIPTS[event];
    const [network = "", bits = "", metric] = item.split("/");
    if (script !== undefined) scripts[script] = path;
    else if (parseIp(network)?.version === 4 && parseCidr(`${network}/${bits}`) !== undefined) {
      routes.push(`${network}/${bits}`);
      if (metric !== undefined) remarks.push(`the fixed metric of ${network}/${bits} is left out`);
    } else remarks.push("a route that is none is left out");
  }
  return {
    ...(routes.length > 0 && { routes }),
    ...(Object.keys(scripts).length > 0 && { scripts }),
  };
}

function within(text: string, least: number, most: number): boolean {
  return /^\d{1,7}$/.test(text) && Number(text) >= least && Number(text) <= most;
}
