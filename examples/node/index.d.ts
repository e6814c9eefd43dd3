/**
 * Decoded pixels, read in place on a worker thread: leave them alone until the promise settles. Their
 * ArrayBuffer can no longer be transferred to another thread, then or later.
 */
export interface View {
  data: Uint8Array;
  width: number;
  height: number;
  /** `rgba` and `bgra` are hashed over white, black and gray, and with alpha ignored. */
  format: 'gray' | 'rgb' | 'rgbx' | 'bgrx' | 'rgba' | 'bgra' | 'gray16';
  /** Bytes from row to row; negative for pixels that lie bottom-up. */
  stride?: number;
}

export interface Digests {
  sha256: Uint8Array;
  sha1: Uint8Array;
  md5: Uint8Array;
}

export type Outcome = 'clear' | 'match' | 'unhashable' | 'unreadable' | 'out_of_scope';
/** `warn`: not sent until the person confirms, in neutral words. */
export type Action = 'send' | 'warn' | 'block';
export type Evidence = 'none' | 'contradicted' | 'neural_only' | 'single' | 'agreed' | 'exact';
export type Tier = 'signed' | 'witnessed' | 'approved';

/** One entry of one list. Texts are plain; `null` where the list has none. */
export interface Match {
  list: string | null;
  entry: string;
  category: string | null;
  message: string | null;
  help: string | null;
  appeal: string | null;
  /** `digest` where a digest was equal. */
  hasher: string;
  distance: number;
  profile: 'full' | 'cpp512';
  evidence: Evidence;
  action: Action;
  /** Index into the views. */
  view: number;
  ground: 'white' | 'black' | 'gray' | 'ignored';
  /** Whether it is the published test card. */
  test: boolean;
}

export interface Verdict {
  outcome: Outcome;
  action: Action;
  evidence: Evidence;
  reason: string;
  /** The best of all views, 0..100. */
  quality: number;
  /** How many hashes were compared. */
  views: number;
  /** What decided comes first. */
  matches: Match[];
}

/** The host's rules, where they differ from the usual ones. */
export interface Policy {
  onEvidence?: Partial<Record<Exclude<Evidence, 'none'>, Action>>;
  onOutcome?: Partial<Record<Exclude<Outcome, 'match'>, Action>>;
  /** No PDQ distance above this matches, 0..64. */
  pdqLimit?: number;
  /** Ids of entries that this host ignores. */
  quenched?: string[];
}

/** Whom lists are believed: a tlog-policy text and the least tier, `witnessed` if left out. */
export interface Trust {
  policy: string | Uint8Array;
  tier?: Tier;
  /** POSIX seconds, for a release that was just fetched: its witnesses must have signed lately. */
  now?: number;
}

/** What is known of a file: `viewsOf` of views.js makes it with sharp. */
export interface Reading {
  views: View[];
  digests?: Digests[];
  /** How much of the file the views stand for. */
  reading?: 'whole' | 'partly' | 'not_a_picture';
}

/** Stands before lists. All methods may be called while others run. */
export class Gate {
  private constructor();
  readonly lists: readonly {
    name: string;
    entries: number;
    epoch: number;
    demo: boolean;
    tier: Tier | 'none';
  }[];

  /**
   * Opens lists and screens the published test card against each. Rejects unless it is found: a
   * host without a Gate must not claim that pictures are checked.
   *
   * A signed list has its `.tlog-proof` beside it. Errors have a `code`, such as
   * `DOORSILL_DAMAGED_LIST`, `DOORSILL_NOT_TRUSTED` or `DOORSILL_NOT_WIRED`.
   */
  static open(
    lists: string | string[],
    options: {
      trust: Trust | 'none';
      policy?: Policy;
      /** How this host decodes pictures; that of views.js if left out. */
      decode?: (file: Uint8Array) => Promise<View[]>;
    },
  ): Promise<Gate>;

  /** Rejects with the signal's reason as soon as it is aborted. A match is a value, not an error. */
  screen(
    views: View[],
    options?: { digests?: Digests[]; reading?: Reading['reading']; signal?: AbortSignal },
  ): Promise<Verdict>;
}

/** The digests of a file that lists may hold. */
export function digest(bytes: Uint8Array): Digests;

/** The version of the core. */
export const version: string;
