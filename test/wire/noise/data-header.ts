/** Write the header of a data message in front of what is sealed: 16 bytes. */
export function writeDataHeader(
  view: DataView,
  at: number,
  receiver: number,
  counter: number,
): void {
  view.setUint32(at, 4, true);
  view.setUint32(at + 4, receiver, true);
  view.setUint32(at + 8, counter >>> 0, true);
  view.setUint32(at + 12, Math.floor(counter / 2 ** 32), true);
}
