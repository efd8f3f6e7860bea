/**
 * An echo server, and how one is ended: `bun test/net/tcp-server/echo.ts 127.0.0.1:7777`. It says
 * where it listens; SIGTERM lets those who are there finish, for five seconds at most.
 */
import { showAddress } from "../../../src/core/address.ts";
import { TcpServer } from "../../../src/net/tcp-server/tcp-server.ts";

const GRACE_MS = 5000;

const server = new TcpServer({
  listen: process.argv[2] ?? "127.0.0.1:0",
  socket: { deferAccept: 0 },
  context: undefined,
  async handler(connection) {
    for await (const bytes of connection) await connection.write(bytes);
  },
});
process.stdout.write(`${showAddress(server.address)}\n`);

process.once("SIGTERM", () => {
  void server.shutdown(GRACE_MS).then((all) => {
    process.stdout.write(`${server.accepted} served${all ? "" : ", some of them cut off"}\n`);
    process.exit(0);
  });
});
