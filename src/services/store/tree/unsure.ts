/** Too few members can be reached to say what is there. */
export class Unsure extends Error {
  override name = "Unsure";
}
