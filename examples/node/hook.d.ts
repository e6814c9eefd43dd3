import { Gate, Verdict } from './index';

/** Thrown where a file must not be sent, or not yet. */
export class NotSent extends Error {
  readonly verdict: Verdict;
}

/**
 * Returns a copy of a file that may be sent, and rejects with NotSent otherwise. Send the copy: it is
 * what was screened. `confirm` is asked where the verdict is `warn`; left out, the answer is no.
 */
export function mayBeSent(
  gate: Gate,
  file: Uint8Array,
  options?: { confirm?: (verdict: Verdict) => Promise<boolean>; signal?: AbortSignal },
): Promise<Uint8Array>;
