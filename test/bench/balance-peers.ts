/**
 * The clients of the connections that the benchmark holds, as a program of its own: a process has
 * 20 000 files and no more. It does what its standard input says:
 *
 *     open COUNT    so many more connections, each used once; prints how many there are
 *     check         prints how many of them are answered still, each what it alone asks for
 *
 *     bun test/bench/balance-peers.ts PORT
 */
import type { Socket } from "bun";

const HOST = "127.0.0.1";
const AT_ONCE = 100;
const ANSWER_MS = 10_000;

interface Held {
  heard: string;
  expected: string;
  tell: ((answered: boolean) => void) | undefined;
}

const port = Number(process.argv[2]);
const sockets: Socket<Held>[] = [];
const handler = {
  data: (socket: Socket<Held>, bytes: Buffer) => {
    socket.data.heard += bytes.toString("latin1");
    if (socket.data.heard.endsWith(socket.data.expected)) tell(socket, true);
  },
  close: (socket: Socket<Held>) => tell(socket, false),
};

for await (const line of console) {
  const [word, count] = line.split(" ");
  const answer = word === "open" ? await open(Number(count)) : await answered(sockets);
  process.stdout.write(`${answer}\n`);
}

/** How many there are then. */
async function open(count: number): Promise<number> {
  for (const wanted = sockets.length + count; sockets.length < wanted;) {
    const some = Math.min(AT_ONCE, wanted - sockets.length);
    const next = await Promise.all(Array.from({ length: some }, connect));
    sockets.push(...next);
    await answered(next);
  }
  return sockets.length;
}

function connect(): Promise<Socket<Held>> {
  const data: Held = { heard: "", expected: "", tell: undefined };
  return Bun.connect<Held>({ hostname: HOST, port, data, socket: handler });
}

async function answered(of: readonly Socket<Held>[]): Promise<number> {
  let count = 0;
  for (let i = 0; i < of.length; i += AT_ONCE) {
    const answers = await Promise.all(of.slice(i, i + AT_ONCE).map(asked));
    count += answers.filter(Boolean).length;
  }
  return count;
}

/** Whether a connection says what it is asked to. */
function asked(socket: Socket<Held>): Promise<boolean> {
  return new Promise((resolve) => {
    const word = `word-${socket.localPort}`;
    const late = setTimeout(() => resolve(false), ANSWER_MS);
    const tell = (answered: boolean): void => {
      clearTimeout(late);
      resolve(answered);
    };
    socket.data = { heard: "", expected: `\r\n\r\n${word}`, tell };
    const request = `GET /echo?word=${word} HTTP/1.1\r\nHost: bench\r\n\r\n`;
    if (socket.write(request) !== request.length) tell(false); // closed
  });
}

function tell({ data }: Socket<Held>, answered: boolean): void {
  data.tell?.(answered);
  data.tell = undefined;
}
