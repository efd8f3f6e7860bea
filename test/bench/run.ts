/** `npm run bench -- web|dns|balance|proxy|store|udt|tunnel|fec|tcpserver [--rounds 5] [--seconds 5] [--rows 1k,304] [--tern PATH] [--json]` */
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { balance } from "./balance.ts";
import { cacheTests } from "./cache-tests.ts";
import { dns } from "./dns.ts";
import { fec } from "./fec.ts";
import { machine } from "./machine.ts";
import { proxy } from "./proxy.ts";
import { store } from "./store.ts";
import { tcpserver } from "./tcp-server/tcpserver.ts";
import { tunnel } from "./tunnel.ts";
import { udt } from "./udt.ts";
import { web } from "./web.ts";

const HELP = `npm run bench -- web|dns|balance|proxy|store|udt|tunnel|fec|tcpserver [options]

  web            static files, against nginx
  dns            names, against NSD, Knot and gdnsd
  balance        connections, against HAProxy and nginx stream
  proxy          requests, against nginx, HAProxy in HTTP mode and Varnish, where it is installed
  cache-tests D  the public tests of HTTP caches, from their checkout in D
  store          files with copies, against nginx dav
  udt            bytes and files by UDT, against libudt
  tunnel         a network over a network, against wireguard-go and OpenVPN
  fec            a tunnel over paths that lose, in virtual time, without parity and with it
  tcpserver      a program on TcpServer, against Go's net/http and fasthttp

  --rounds N     rounds per row, each server once in each (5)
  --seconds N    length of a round (5)
  --rows A,B     only these rows; --rows help lists them
  --tern PATH    measure this binary instead of building dist/tern
  --json         figures as JSON on standard output
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "5" },
    rows: { type: "string" },
    tern: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const BENCHES = {
  web,
  dns,
  balance,
  proxy,
  store,
  udt,
  tunnel,
  fec,
  tcpserver,
  "cache-tests": cacheTests,
};
const [wanted = "", checkout] = positionals;
const bench = Object.hasOwn(BENCHES, wanted) ? BENCHES[wanted as keyof typeof BENCHES] : undefined;
if (values.help || bench === undefined) {
  process.stdout.write(HELP);
  process.exit(values.help ? 0 : 2);
}
const report = await bench({
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  rows: values.rows?.split(","),
  tern: values.tern,
  checkout: checkout && resolve(checkout),
  say: values.json ? () => {} : (text) => process.stdout.write(text),
});
if (values.json)
  process.stdout.write(`${JSON.stringify({ machine: await machine(), report }, undefined, 2)}\n`);
