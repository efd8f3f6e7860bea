import type { Answer } from "./answer.ts";
import type { AskError } from "./ask-error.ts";

/** Who asks, told on the reactor's turn. Either `answered` or `failed` is called, once. */
export interface Questioner {
  /** A 1xx came before it. */
  interim?(status: number, headers: Answer["headers"]): void;
  /** The head is there; the body comes. */
  answered(answer: Answer): void;
  /** There will be no head. Not called when it was cancelled. */
  failed(error: AskError): void;
  /**
   * The exchange is over, however: bytes of both bodies, and what broke it. Called once; before
   * `failed`, and before whoever takes the body hears of its end.
   */
  over(sent: number, received: number, failure: AskError | undefined): void;
}
