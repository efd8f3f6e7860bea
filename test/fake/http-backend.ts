/**
 * A server as a program of its own, so that it can be killed and stopped: `bun http-backend.ts NAME
 * HOST PORT DELAY_MS`. Says its name to every request after the delay. One line on standard output
 * when it listens.
 */
import { createServer } from "node:http";

const [name = "", host = "", port = "", delay = "0"] = process.argv.slice(2);

createServer((_request, response) => {
  setTimeout(() => {
    response.writeHead(200, { Connection: "close", "Content-Type": "text/plain" });
    response.end(name);
  }, Number(delay));
}).listen(Number(port), host, () => process.stdout.write("listening\n"));
