/** A piece of work shorter than this is none to interrupt. Milliseconds. */
const TURN_MS = 2;

/** Do a long work piece by piece, others of the thread getting their turn every few milliseconds. */
export async function inTurns<T>(work: Generator<void, T, void>): Promise<T> {
  for (let began = performance.now(); ;) {
    const { done, value } = work.next();
    if (done) return value;
    if (performance.now() - began < TURN_MS) continue;
    await new Promise((go) => setImmediate(go));
    began = performance.now();
  }
}
