/** Exit codes of every verb; `tern --help` lists them. */
export const EXIT = {
  ok: 0,
  /** It was tried and failed, or the config is wrong. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** No tern answers on the socket. */
  notRunning: 3,
} as const;

/** A verb that ends here, with one line for the operator and nothing more. */
export class Exit extends Error {
  override name = "Exit";
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}
