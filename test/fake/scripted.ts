/** One connection to a scripted server. */
export interface Caller {
  /** Which one it is, from 0. */
  readonly number: number;
  /** All that came on it so far, Latin-1. */
  readonly heard: string;
  say(text: string | Uint8Array): void;
  /** FIN behind what was said. */
  end(): void;
  /** Reset. */
  cut(): void;
}

/** A server that says what its script tells it to, whenever bytes come. */
export interface Scripted extends Disposable {
  readonly port: number;
  readonly callers: readonly Caller[];
  /** Connections that are over. */
  readonly over: number;
  /** Everything all of them heard, as it came. */
  readonly heard: string;
}

type Data = { text: string; caller: Caller };

/** `script` runs on every piece that comes; `opened` when a connection is made. */
export function scripted(
  script: (caller: Caller, piece: string) => void,
  opened: (caller: Caller) => void = () => {},
): Scripted {
  const callers: Caller[] = [];
  let over = 0;
  let all = "";
  const listener = Bun.listen<Data>({
    hostname: "127.0.0.1",
    port: 0,
    allowHalfOpen: true,
    socket: {
      open(socket) {
        const caller: Caller = {
          number: callers.length,
          get heard() {
            return socket.data.text;
          },
          say: (text) =>
            void socket.write(typeof text === "string" ? Buffer.from(text, "latin1") : text),
          end: () => void socket.end(),
          cut: () => socket.terminate(),
        };
        socket.data = { text: "", caller };
        callers.push(caller);
        opened(caller);
      },
      data(socket, bytes) {
        const piece = bytes.toString("latin1");
        socket.data.text += piece;
        all += piece;
        script(socket.data.caller, piece);
      },
      end(socket) {
        socket.end();
      },
      close() {
        over++;
      },
      error() {},
    },
  });
  return {
    port: listener.port,
    callers,
    get over() {
      return over;
    },
    get heard() {
      return all;
    },
    [Symbol.dispose]: () => listener.stop(true),
  };
}

/** A server that answers every request head with the same words. */
export function sayer(words: string, then: (caller: Caller) => void = () => {}): Scripted {
  return scripted((caller) => {
    if (!caller.heard.endsWith("\r\n\r\n")) return;
    caller.say(words);
    then(caller);
  });
}

/** A whole response with this body. */
export function ok(body: string, fields = ""): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`;
}
