/** Who wants to know how a link is. */
export interface Keeper {
  /** The peer can be reached from now on, or cannot. */
  turned(alive: boolean): void;
  /** An answer to a question of `length` bytes came. */
  passed(length: number): void;
  /** How long another question should be, to see whether it gets through; 0: none. */
  wonders(): number;
  /** There are keys again: what waits may go. */
  ready(): void;
}
