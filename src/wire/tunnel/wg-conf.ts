/** A wg0.conf as wg-quick(8) and wg(8) have it. */
export interface WgConf {
  readonly privateKey: string | undefined;
  readonly listenPort: number | undefined;
  readonly addresses: readonly string[];
  readonly mtu: number | undefined;
  /** Whether AllowedIPs are routes as well: not with `Table = off`. */
  readonly routes: boolean;
  readonly peers: readonly WgPeer[];
  /** What it says besides that nothing here stands for: `wg0.conf:7: DNS`. */
  readonly rest: readonly WgNote[];
}

export interface WgPeer {
  readonly publicKey: string | undefined;
  readonly presharedKey: string | undefined;
  readonly allowedIps: readonly string[];
  /** `host:port`. */
  readonly endpoint: string | undefined;
  /** Seconds; 0: off. */
  readonly keepalive: number;
}

export interface WgNote {
  readonly line: number;
  readonly message: string;
}

interface Section {
  readonly kind: "interface" | "peer";
  readonly values: Map<string, string[]>;
}

const INTERFACE = ["privatekey", "listenport", "address", "mtu", "table"];
const PEER = ["publickey", "presharedkey", "allowedips", "endpoint", "persistentkeepalive"];

/** Read a wg0.conf. Names in any case; `#` begins a comment. Nothing throws: see `rest`. */
export function parseWgConf(text: string): WgConf {
  const rest: WgNote[] = [];
  const sections: Section[] = [];
  for (const [i, whole] of text.split(/\r?\n/).entries()) {
    const bare = whole.replace(/#.*$/, "").trim();
    if (bare === "") continue;
    const line = i + 1;
    const kind = /^\[(interface|peer)\]$/i.exec(bare)?.[1]?.toLowerCase();
    if (kind === "interface" || kind === "peer") {
      sections.push({ kind, values: new Map() });
      continue;
    }
    const section = sections.at(-1);
    const [, name, value = ""] = /^([A-Za-z]+)\s*=\s*(.*)$/.exec(bare) ?? [];
    if (name === undefined || section === undefined)
      rest.push({ line, message: "neither a section nor a setting" });
    else if (!(section.kind === "peer" ? PEER : INTERFACE).includes(name.toLowerCase()))
      rest.push({ line, message: `${name} has nothing that stands for it` });
    else {
      const before = section.values.get(name.toLowerCase()) ?? [];
      section.values.set(name.toLowerCase(), [...before, value]);
    }
  }
  const own = new Map(
    sections.filter(({ kind }) => kind === "interface").flatMap(({ values }) => [...values]),
  );
  return {
    privateKey: last(own, "privatekey"),
    listenPort: whole(last(own, "listenport")),
    addresses: list(own, "address"),
    mtu: whole(last(own, "mtu")),
    routes: last(own, "table")?.toLowerCase() !== "off",
    peers: sections
      .filter(({ kind }) => kind === "peer")
      .map(({ values }) => ({
        publicKey: last(values, "publickey"),
        presharedKey: last(values, "presharedkey"),
        allowedIps: list(values, "allowedips"),
        endpoint: last(values, "endpoint"),
        keepalive: whole(last(values, "persistentkeepalive")) ?? 0,
      })),
    rest,
  };
}

/** Write it, as wg-quick reads it. */
export function emitWgConf({
  privateKey,
  listenPort,
  addresses,
  mtu,
  peers,
}: Omit<WgConf, "rest" | "routes">): string {
  const line = (name: string, value: string | number | undefined): string[] =>
    value === undefined || value === "" ? [] : [`${name} = ${value}`];
  return [
    "[Interface]",
    ...line("PrivateKey", privateKey),
    ...line("ListenPort", listenPort),
    ...line("Address", addresses.join(", ")),
    ...line("MTU", mtu),
    ...peers.flatMap((peer) => [
      "",
      "[Peer]",
      ...line("PublicKey", peer.publicKey),
      ...line("PresharedKey", peer.presharedKey),
      ...line("AllowedIPs", peer.allowedIps.join(", ")),
      ...line("Endpoint", peer.endpoint),
      ...line("PersistentKeepalive", peer.keepalive === 0 ? undefined : peer.keepalive),
    ]),
    "",
  ].join("\n");
}

function last(values: ReadonlyMap<string, readonly string[]>, name: string): string | undefined {
  return values.get(name)?.at(-1);
}

/** Lists may be in one line or in several. */
function list(values: ReadonlyMap<string, readonly string[]>, name: string): string[] {
  return (values.get(name) ?? [])
    .flatMap((one) => one.split(","))
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

/** "off" is what wg(8) calls 0. */
function whole(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:\d{1,6}|off)$/i.test(text)) return undefined;
  return text.toLowerCase() === "off" ? 0 : Number(text);
}
