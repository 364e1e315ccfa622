/** Recorded requests, one entry per request in order of time: plain columns that can be sent to a worker thread as they are. */
export interface ReplayData {
  /** From the first request on; do not fall. */
  readonly timesMs: Float64Array;
  /** Index into `classNames`, one per request. */
  readonly classes: Uint16Array;
  readonly classNames: readonly string[];
  /** Dense key numbers, −1 for none; absent when the record has no keys. */
  readonly keys: Int32Array | undefined;
  /** Dense session numbers in order of appearance, −1 for none; absent when the record has no sessions. */
  readonly sessions: Int32Array | undefined;
  /** Time a server worked on it; NaN where it is not known. Absent when the record has none. */
  readonly workMs: Float64Array | undefined;
}
