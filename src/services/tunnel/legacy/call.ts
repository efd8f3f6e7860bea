import { parseIp } from "../../../core/ip.ts";
import { ClientLogin } from "../../../wire/3wdd/login.ts";
import type { TunnelConfig } from "../config.ts";
import { addressesOf } from "../endpoint.ts";
import type { Conversation } from "./conversation.ts";
import { type Door, md5 } from "./door.ts";

/**
 * Shake hands with the server of `config` and log in, perhaps at another port than the one asked first.
 * "nowhere": there is no such server now; "refused": it does not let us in. Rejects with UdtLost.
 */
export async function call(
  door: Door,
  name: string,
  key: string,
  { peer }: TunnelConfig,
): Promise<Conversation | "nowhere" | "refused"> {
  const addresses = peer === null ? [] : await addressesOf(peer);
  // The login has room for nothing but IPv4.
  const server = addresses.find((one) => parseIp(one)?.version === 4);
  if (peer === null || server === undefined) return "nowhere";
  let { port } = peer;
  for (const redirect of [true, false]) {
    const conversation = await door.dial(server, port);
    const login = new ClientLogin({ name, server, port, redirect }, key, md5);
    const step = await door.hurry(conversation, conversation.logIn(login));
    if (step.kind === "accepted") return conversation;
    conversation.stream.abort();
    if (step.kind !== "elsewhere") break;
    port = step.port;
  }
  return "refused";
}
