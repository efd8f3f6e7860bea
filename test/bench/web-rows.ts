import type { Load } from "./load.ts";
import type { Server } from "./server.ts";
import { HOST } from "./web-files.ts";

/** A row of the table: what is asked, what counts, and how much of nginx's figure is enough. */
export interface Row {
  readonly name: string;
  readonly says: string;
  readonly path: string;
  readonly secure?: boolean;
  readonly connections: number;
  readonly pipeline?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ask with the ETag that the server gave. */
  readonly revalidates?: boolean;
  readonly counts: "requests" | "bytes";
  readonly bar: number;
}

const MANY = 64;
const FEW = 16; // of large bodies: each connection has megabytes under way

/** The bars are those of the project's first issue. */
export const ROWS: readonly Row[] = [
  {
    name: "1k",
    says: "1 KB, keep-alive",
    path: "/1k.html",
    connections: MANY,
    counts: "requests",
    bar: 1.4,
  },
  {
    name: "close",
    says: "1 KB, Connection: close",
    path: "/1k.html",
    connections: MANY,
    headers: { Connection: "close" },
    counts: "requests",
    bar: 1,
  },
  {
    name: "pipeline",
    says: "1 KB, pipelined ×4",
    path: "/1k.html",
    connections: MANY,
    pipeline: 4,
    counts: "requests",
    bar: 2,
  },
  {
    name: "100k",
    says: "100 KB, bytes/s",
    path: "/100k.bin",
    connections: MANY,
    counts: "bytes",
    bar: 1,
  },
  {
    name: "10m",
    says: "10 MB, bytes/s",
    path: "/10m.bin",
    connections: FEW,
    counts: "bytes",
    bar: 1,
  },
  {
    name: "gzip",
    says: "20 KB page, gzip",
    path: "/20k.html",
    connections: MANY,
    headers: { "Accept-Encoding": "gzip" },
    counts: "requests",
    bar: 1.4,
  },
  {
    name: "304",
    says: "304, If-None-Match",
    path: "/1k.html",
    connections: MANY,
    revalidates: true,
    counts: "requests",
    bar: 1.4,
  },
  {
    name: "tls",
    says: "1 KB, TLS 1.3, keep-alive",
    path: "/1k.html",
    secure: true,
    connections: MANY,
    counts: "requests",
    bar: 1,
  },
];

/**
 * The load of a row on a server. Asks once first, and throws when the answer is not what the row
 * is about: nobody is fast by answering wrongly.
 */
export async function loadOf(row: Row, server: Server, www: string): Promise<Load> {
  const url = row.secure
    ? `https://127.0.0.1:${server.https}${row.path}`
    : `http://127.0.0.1:${server.http}${row.path}`;
  let headers: Record<string, string> = { Host: HOST, ...row.headers };
  const whole = await ask(url, headers);
  const expected = await Bun.file(`${www}${row.path}`).bytes();
  if (whole.status !== 200) wrong(row, server, `${whole.status}`);
  if (!Buffer.from(expected).equals(await whole.bytes())) wrong(row, server, "another body");
  const coding = whole.headers.get("content-encoding") ?? "identity";
  if (coding !== (row.headers?.["Accept-Encoding"] ?? "identity")) wrong(row, server, coding);
  if (row.revalidates) {
    headers = { ...headers, "If-None-Match": whole.headers.get("etag") ?? "" };
    const again = await ask(url, headers);
    if (again.status !== 304) wrong(row, server, `${again.status}`);
  }
  return { url, headers, connections: row.connections, pipeline: row.pipeline ?? 1 };
}

async function ask(url: string, headers: Record<string, string>): Promise<Response> {
  return fetch(url, {
    headers: { "Accept-Encoding": "identity", ...headers },
    tls: { rejectUnauthorized: false, serverName: HOST },
  });
}

function wrong(row: Row, server: Server, what: string): never {
  throw new Error(`${server.name} answers ${row.path} (${row.says}) with ${what}`);
}
