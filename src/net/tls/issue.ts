import type { Client } from "acme-client";

import type { Certificate } from "../certificates.ts";
import { proofOf } from "./self-signed.ts";

/** Somebody who issues certificates (RFC 8555). */
export interface Ca {
  readonly directory: string;
  readonly email: string | undefined;
  /** PEM of the root that the CA's own HTTPS is trusted by; undefined for the usual ones. */
  readonly root: string | undefined;
}

/** What the CA will look for, to see that a name is ours. */
export type Proof =
  | { readonly kind: "http-01"; readonly token: string; readonly keyAuthorization: string }
  | { readonly kind: "tls-alpn-01"; readonly name: string; readonly certificate: Certificate }
  /** TXT at `name` says `value`. */
  | { readonly kind: "dns-01"; readonly name: string; readonly value: string };

/** Makes a proof visible on every listener, and takes it back. */
export interface Proofs {
  offer(proof: Proof): Promise<void>;
  withdraw(proof: Proof): Promise<void>;
}

export type Kind = Proof["kind"];

/** A certificate that is asked for. */
export interface Wanted {
  readonly name: string;
  /** How the name is proved. */
  readonly kind: Kind;
  /** The certificate that it replaces, as renewal information calls it (RFC 9773, 5). */
  readonly replaces: string | undefined;
}

/** The ways to prove a name, the usual one first: listeners will do, but not for a wildcard. */
export function kindsFor(name: string): readonly [Kind, ...Kind[]] {
  return name.startsWith("*.") ? ["dns-01"] : ["http-01", "tls-alpn-01"];
}

const REQUEST_TIMEOUT_MS = 30_000;
/** Between looks at whether the CA is done. */
const POLL_MS = { backoffMin: 500, backoffMax: 10_000 };

/** PEM. */
export async function newAccountKey(): Promise<string> {
  const { crypto } = await library(undefined);
  return String(await crypto.createPrivateEcdsaKey());
}

/**
 * One certificate for one name: order, prove in the way of `kind`, collect. `now` is milliseconds
 * since 1970. Throws with the CA's words.
 */
export async function issue(
  { name, kind, replaces }: Wanted,
  ca: Ca,
  accountKey: string,
  proofs: Proofs,
  now: number,
): Promise<{ key: string; chain: string }> {
  const { Client: AcmeClient, crypto } = await library(ca.root);
  const [key, csr] = await crypto.createCsr(
    { commonName: name, altNames: [name] },
    await crypto.createPrivateEcdsaKey(),
  );
  const client = new AcmeClient({ directoryUrl: ca.directory, accountKey, ...POLL_MS });
  if (replaces !== undefined) saysWhatIsReplaced(client, replaces);
  await register(client, ca.email);
  let proof: Proof | undefined;
  const chain = await client.auto({
    csr,
    // What is seen from here says nothing about what the CA sees.
    skipChallengeVerification: true,
    challengePriority: [kind],
    challengeCreateFn: async (authorization, challenge, keyAuthorization) => {
      const { token } = challenge;
      // Its own types know dns-01 and http-01 only.
      if ((challenge.type as string) !== kind) throw new Error(`the CA does not offer ${kind}`);
      switch (kind) {
        case "http-01":
          proof = { kind, token, keyAuthorization };
          break;
        case "tls-alpn-01":
          proof = { kind, name, certificate: await proofOf(name, keyAuthorization, now) };
          break;
        case "dns-01": // the library has made the digest of it that goes there
          proof = { kind, name: `_acme-challenge.${name.slice(2)}`, value: keyAuthorization };
      }
      await proofs.offer(proof);
    },
    challengeRemoveFn: async () => {
      if (proof) await proofs.withdraw(proof);
    },
  });
  return { key: String(key), chain };
}

/**
 * Orders say which certificate they replace (RFC 9773, 5). A CA may have heard that before, or have
 * another opinion: then they do without.
 */
function saysWhatIsReplaced(client: Client, replaces: string): void {
  const order = client.createOrder.bind(client);
  client.createOrder = async (wanted) => {
    const saying: typeof wanted & { replaces: string } = { ...wanted, replaces };
    return order(saying).catch(() => order(wanted));
  };
}

/** Make the account, or find it again by its key. */
async function register(client: Client, email: string | undefined): Promise<void> {
  const contact = email === undefined ? {} : { contact: [`mailto:${email}`] };
  try {
    await client.createAccount({ termsOfServiceAgreed: true, ...contact });
  } catch (error) {
    // An account that is there already is updated with the contact, and without one the CA may
    // refuse that as empty; its URL is known all the same.
    if (!hasAccount(client)) throw error;
  }
}

function hasAccount(client: Client): boolean {
  try {
    return client.getAccountUrl() !== "";
  } catch {
    return false;
  }
}

/** Loaded when first wanted: it takes longer to load than the rest of tern. */
async function library(root: string | undefined): Promise<typeof import("acme-client")> {
  const [acme, { Agent }] = [await import("acme-client"), await import("node:https")];
  // It has one HTTP client for everything, which is enough: there is one CA.
  acme.axios.defaults.timeout = REQUEST_TIMEOUT_MS;
  acme.axios.defaults.httpsAgent = new Agent(root === undefined ? {} : { ca: root });
  // Its own patience would come on top of ours (renewal.ts).
  Object.assign(acme.axios.defaults, { acmeSettings: { retryMaxAttempts: 0 } });
  return acme;
}
