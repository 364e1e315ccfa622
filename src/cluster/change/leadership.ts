/** Who believed to lead, from when to when: what controllers believe of themselves, put side by side. With several that believe it at once
 *  the cluster has more than one will. */
import type { Ms } from '../../core/time.ts';
import { changesKept, type LeaderSpan } from '../../stats/result.ts';

interface Span {
  readonly controller: number;
  readonly fromMs: Ms;
  toMs: Ms;
  readonly token: number;
}

export class Leadership {
  /** Times that another controller than the last one began to lead. */
  changes: number;
  private readonly kept: Span[];
  /** By controller that believes to lead. */
  private readonly open: Map<number, Span>;
  private last: number | undefined;
  private splitMs: Ms;
  private splitSinceMs: Ms;

  constructor() {
    this.changes = 0;
    this.kept = [];
    this.open = new Map();
    this.splitMs = 0;
    this.splitSinceMs = NaN;
  }

  /** The controller that believes to lead with the highest token; undefined if nobody does. */
  get leader(): number | undefined {
    let first: Span | undefined;
    for (const span of this.open.values()) if (first === undefined || span.token > first.token) first = span;
    return first?.controller;
  }

  /** In order of their beginnings, capped. */
  get spans(): readonly LeaderSpan[] {
    return this.kept.map(({ controller, ...rest }) => ({ controller: controllerName(controller), ...rest }));
  }

  /** Time in which more than one believed to lead, until now. */
  splitUntil(nowMs: Ms): Ms {
    return this.splitMs + (this.open.size > 1 ? nowMs - this.splitSinceMs : 0);
  }

  /** What the controller believes from now on; undefined: that it does not lead. */
  believes(controller: number, token: number | undefined, nowMs: Ms): void {
    const former = this.open.get(controller);
    if (former?.token === token) return;
    const wasSplit = this.open.size > 1;
    if (former !== undefined) former.toMs = nowMs;
    if (token === undefined) this.open.delete(controller);
    else this.begin({ controller, fromMs: nowMs, toMs: Infinity, token });
    const isSplit = this.open.size > 1;
    if (isSplit && !wasSplit) this.splitSinceMs = nowMs;
    else if (wasSplit && !isSplit) this.splitMs += nowMs - this.splitSinceMs;
  }

  private begin(span: Span): void {
    this.open.set(span.controller, span);
    if (this.kept.length < changesKept) this.kept.push(span);
    if (this.last !== undefined && this.last !== span.controller) this.changes++;
    this.last = span.controller;
  }
}

export const controllerName = (controller: number): string => `controller-${controller}`;
