/** The words that sections are made of. Each reads what an operator writes into a plain value. */
export { key, pathTo } from "./key.ts";
export { address, addressList, cidr, cidrList, hostRange, path } from "./places.ts";
export { bandwidth, count, duration, rate, size } from "./quantities.ts";
export { Secret, passwordHash, secret } from "./secret.ts";
export { socketOptions } from "./socket.ts";
