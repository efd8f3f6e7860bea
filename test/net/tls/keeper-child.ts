// Asks for a certificate and says so on standard output when its proof is offered; never finishes.
import { systemClock } from "../../../src/core/clock.ts";
import { CertificateKeeper, type TlsOptions } from "../../../src/net/tls/keeper.ts";
import { CertificateStore } from "../../../src/net/tls/store.ts";
import { silent } from "../../../src/observe/log.ts";

const [state, options] = process.argv.slice(2) as [string, string];
const lent = { state, clock: systemClock, wall: Date.now, dice: Math.random, log: silent };
const keeper = await CertificateKeeper.prepare(JSON.parse(options) as TlsOptions, lent);
const offered = async (): Promise<void> => {
  process.stdout.write("offered\n");
  await new Promise(() => {});
};
await keeper.run(new CertificateStore(), offered, new AbortController().signal);
