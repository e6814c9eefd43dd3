import { Gate, Reading, Verdict, View } from './index';

/** Returns the views of a file, its digests and how much of it they stand for. Bad bytes never reject. */
export function viewsOf(file: Uint8Array): Promise<Required<Reading>>;

/** Returns the views of a picture, what most viewers show first; rejects if there is none. */
export function decode(file: Uint8Array): Promise<View[]>;

/**
 * Returns a new JPEG of what a view of `viewsOf` shows over white, and of nothing else: sent in place
 * of the file, it shows every receiver what was screened. Screen it too, it is what is sent.
 */
export function encoded(view: View): Promise<Buffer>;

/** Screens a file as it will be sent. */
export function screenFile(
  gate: Gate,
  file: Uint8Array,
  options?: { signal?: AbortSignal },
): Promise<Verdict>;
