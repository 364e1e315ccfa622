/** The spans of one request as rows of a picture: a row per call, per attempt and per answer from a cache, nested as they were made. What
 *  happens within a row (waiting for a slot, work, waiting for others, the network, the wait before a retry) are its segments. */
import type { Ms } from '../../core/time.ts';
import type { Span, Waterfall } from '../../stats/result.ts';

export interface WaterfallRow {
  readonly depth: number;
  readonly kind: string;
  readonly what: string;
  readonly outcome: string;
  /** Since the request arrived, as all times here. */
  readonly fromMs: Ms;
  /** End of the last segment; may lie after the row's own end. */
  readonly toMs: Ms;
  /** When its caller stopped waiting for it. */
  readonly endMs: Ms;
  /** The call itself, from begin to end; none for an attempt, which is what its segments are. */
  readonly line: readonly Segment[];
  readonly segments: readonly Segment[];
}
export interface Segment {
  readonly kind: string;
  readonly fromMs: Ms;
  readonly toMs: Ms;
  /** After somebody above gave up: nobody will see what comes of it. */
  readonly inVain: boolean;
}
export interface WaterfallPicture {
  readonly rows: readonly WaterfallRow[];
  /** Rows there was no room for. */
  readonly left: number;
}

const rowKinds = new Set(['request', 'attempt', 'cache']);

/** Depth first, in order of time. When there are too many rows, those that took longest are kept, and what they are nested in. */
export function waterfallRows({ spans, arrivalMs }: Waterfall, maxRows: number): WaterfallPicture {
  const children = childrenOf(spans);
  const rows: WaterfallRow[] = [];
  /** By row: the one it is nested in. */
  const above: number[] = [];
  const visit = (index: number, depth: number, wantedUntilMs: Ms, parent: number): void => {
    const span = spans[index];
    const until = Math.min(wantedUntilMs, span.toMs);
    const inner = (children[index] ?? []).filter((child) => !rowKinds.has(spans[child].kind));
    const segments = inner.flatMap((child) => segmentsOf(spans[child], until, arrivalMs));
    const place = rows.length;
    above.push(parent);
    rows.push({
      ...{ depth, kind: span.kind, what: span.what, outcome: span.outcome, segments },
      fromMs: span.fromMs - arrivalMs,
      line: span.kind === 'attempt' ? [] : segmentsOf(span, wantedUntilMs, arrivalMs),
      toMs: Math.max(span.toMs - arrivalMs, ...segments.map((segment) => segment.toMs)),
      endMs: span.toMs - arrivalMs,
    });
    for (const child of children[index] ?? []) if (rowKinds.has(spans[child].kind)) visit(child, depth + 1, until, place);
  };
  spans.forEach((span, index) => {
    if (span.parent < 0) visit(index, 0, Infinity, -1);
  });
  const kept = longest(rows, above, maxRows);
  return { rows: rows.filter((_, index) => kept.has(index)), left: rows.length - kept.size };
}

function longest(rows: readonly WaterfallRow[], above: readonly number[], count: number): ReadonlySet<number> {
  const took = rows.map(({ fromMs, toMs }) => toMs - fromMs);
  const order = rows.map((_, index) => index).toSorted((a, b) => took[b] - took[a] || rows[a].depth - rows[b].depth || a - b);
  const kept = new Set<number>();
  for (const index of order) {
    const needed: number[] = [];
    for (let at = index; at >= 0 && !kept.has(at); at = above[at]) needed.push(at);
    if (kept.size + needed.length <= count) for (const at of needed) kept.add(at);
  }
  return kept;
}

/** In order of time; equal times in the order they were recorded. */
function childrenOf(spans: readonly Span[]): number[][] {
  const children: number[][] = [];
  spans.forEach(({ parent }, index) => {
    if (parent >= 0) (children[parent] ??= []).push(index);
  });
  for (const own of children) own?.sort((a, b) => spans[a].fromMs - spans[b].fromMs || a - b);
  return children;
}

/** Cut in two where its caller gave up. */
function segmentsOf({ kind, fromMs, toMs }: Span, untilMs: Ms, arrivalMs: Ms): Segment[] {
  const part = (from: Ms, to: Ms, inVain: boolean): Segment[] =>
    to > from ? [{ kind, fromMs: from - arrivalMs, toMs: to - arrivalMs, inVain }] : [];
  return [...part(fromMs, Math.min(toMs, untilMs), false), ...part(Math.max(fromMs, untilMs), toMs, true)];
}
