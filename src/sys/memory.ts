import { type Pointer, ptr } from "bun:ffi";

/**
 * Memory that libc sees. Made as an ArrayBuffer first: a small typed array may hold its bytes
 * inline and move them when a second view is made (FACTS). Keep the Block as long as the kernel
 * or a cached `at` may use it.
 */
export interface Block {
  readonly buffer: ArrayBuffer;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** Its address, as a number for FFI calls. */
  readonly at: number;
}

export function block(size: number): Block {
  const buffer = new ArrayBuffer(size);
  const bytes = new Uint8Array(buffer);
  const view = new DataView(buffer);
  return { buffer, bytes, view, at: address(bytes) };
}

/** Address of `bytes` now. Good only while `bytes` is referenced and never resized. */
export function address(bytes: Uint8Array): number {
  return ptr(bytes) as number;
}

/** A number as FFI wants a pointer. */
export function pointer(at: number): Pointer {
  return at as Pointer;
}
