/** Whatever endpoints, policies, timers and callers do, in whatever order: books balance. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Balancer, EndpointView } from '../../../src/policies/balancing/balancer.ts';
import type { PipelineParts } from '../../../src/policies/pipeline/pipeline.ts';
import { retriable } from '../../../src/policies/resilience/retries/retry.ts';
import { testRng } from '../fixtures.ts';
import { BookkeepingAdmission, BookkeepingBreaker, BookkeepingBudget, BookkeepingHedge, retrying } from './policies.ts';
import { type Reply, World } from './world.ts';

const delay = fc.constantFrom(0, 1, 2, 5, 8);
const reply: fc.Arbitrary<Reply> = fc.oneof(
  fc.record({ outcome: fc.constantFrom('ok', 'error', 'refused', 'lost', 'shed'), afterMs: delay }),
  fc.record({ outcome: fc.constantFrom('ok', 'ok', 'lost'), afterMs: fc.constant(8), commitsAfterMs: fc.constantFrom(1, 3) }),
  fc.record({ outcome: fc.constantFrom('ok', 'error', 'refused') }),
  fc.constant<Reply>('silence'),
);
const limit = fc.constantFrom(Infinity, 3, 12);
const results = [...retriable, 'circuitOpen'];
const script = fc.record({
  replies: fc.array(reply, { minLength: 1, maxLength: 12 }),
  /** What the caller does, a step per ms or so: starts requests and gives them up. */
  steps: fc.array(
    fc.record({
      waitMs: delay,
      leftMs: fc.constantFrom(Infinity, Infinity, 0, 4, 10),
      isRepeatable: fc.boolean(),
      cancels: fc.option(fc.nat(9), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  startsOnFinish: fc.nat(3),
  chance: fc.nat(),
  timeoutMs: limit,
  attemptTimeoutMs: limit,
  waitsMs: fc.option(fc.array(delay, { maxLength: 3 }), { nil: undefined }),
  on: fc.subarray([...retriable]),
  hasBudget: fc.boolean(),
  hedge: fc.option(fc.record({ waitMs: fc.constantFrom(0, 1, 4), most: fc.constantFrom(2, 3), onFailure: fc.boolean() }), {
    nil: undefined,
  }),
  hasBreaker: fc.boolean(),
  hasAdmission: fc.boolean(),
  fallback: fc.option(fc.record({ on: fc.subarray(results), takesMs: fc.constantFrom(0, 3) }), { nil: undefined }),
});

describe('in every course of events', () => {
  test('every request finishes once, and all that was taken is given back', () => {
    // What the runs have met: a property that never saw a hedge says nothing about hedges.
    const met = new Map<string, number>();
    fc.assert(
      fc.property(script, (given) => {
        const rng = testRng(given.chance);
        const mostly = (): boolean => rng.next() < 0.7;
        const budget = given.hasBudget ? new BookkeepingBudget(mostly) : undefined;
        const breaker = given.hasBreaker ? new BookkeepingBreaker(mostly) : undefined;
        const admission = given.hasAdmission ? new BookkeepingAdmission(mostly) : undefined;
        const parts: Partial<PipelineParts> = {
          timeoutMs: given.timeoutMs,
          attemptTimeoutMs: given.attemptTimeoutMs,
          retry: given.waitsMs && retrying(given.waitsMs, given.on),
          budget,
          hedge: given.hedge && new BookkeepingHedge(given.hedge.waitMs, { ...given.hedge, allows: mostly }),
          breaker,
          admission,
          fallback: given.fallback,
          hasDeadlines: true,
        };
        const balancer = new CountingBalancer(() => rng.below(5));
        let replies = 0;
        let extra = given.startsOnFinish;
        let started = 0;
        const world: World = new World({
          balancer,
          parts,
          reply: () => given.replies[replies++ % given.replies.length],
          onFinish: () => {
            if (extra-- > 0) {
              started++;
              world.start(20);
            }
          },
        });
        for (const { waitMs, leftMs, isRepeatable, cancels } of given.steps) {
          world.pipeline.setRepeatable(isRepeatable);
          started++;
          world.start(leftMs);
          world.advance(waitMs);
          if (cancels !== undefined) world.cancel(cancels);
        }
        world.advance(1000);
        // What waits for ever: silence without a timeout.
        extra = 0;
        for (const request of world.requestsAlive) world.cancel(request);
        world.advance(1000);

        expect(world.violations).toEqual([]);
        const finished = world.decisions.filter(({ kind }) => kind === 'finished').map(({ request }) => request);
        expect(finished.toSorted((a, b) => a - b)).toEqual(Array.from({ length: started }, (_, i) => i));
        expect({
          alive: world.requestsAlive,
          out: world.attemptsOut,
          timers: world.timersArmed,
          atEndpoints: [...world.endpoints.table.active.subarray(0, 3)],
          atBalancer: balancer.open,
          ofBudget: budget?.open ?? 0,
          permits: breaker === undefined ? [] : [...breaker.open, ...breaker.mistakes],
          admitted: admission?.open ?? 0,
          active: world.pipeline.active,
        }).toEqual({
          alive: [],
          out: 0,
          timers: [],
          atEndpoints: [0, 0, 0],
          atBalancer: 0,
          ofBudget: 0,
          permits: [],
          admitted: 0,
          active: 0,
        });
        for (const line of world.story) {
          const [, kind, , , , why] = line.split(' ');
          const key =
            kind === 'sent' ? `sent ${why ?? '(first)'}` : kind === 'finished' ? line.split(' ').slice(3).join(' ') : kind;
          met.set(key, (met.get(key) ?? 0) + 1);
        }
      }),
      // 600 runs of up to 15 requests; the seed is fixed, so that a run cannot differ from the last.
      { numRuns: 600, seed: 20261121 },
    );
    const rare = [
      'sent (retry)',
      'sent (hedge)',
      'dropped',
      'ok',
      'ok (fallback)',
      'error',
      'timeout',
      'refused',
      'lost',
      'cancelled',
      'shed',
      'noEndpoint',
      'circuitOpen',
    ];
    expect(rare.filter((key) => (met.get(key) ?? 0) < 20)).toEqual([]);
  });
});

/** Picks a member, nobody, or now and then an endpoint that does not exist. */
class CountingBalancer implements Balancer {
  open = 0;
  private view: EndpointView | undefined;
  private readonly draw: () => number;

  constructor(draw: () => number) {
    this.draw = draw;
  }
  update(view: EndpointView): void {
    this.view = view;
  }
  pick(): number {
    const drawn = this.draw();
    return drawn < this.view!.count ? this.view!.members[drawn] : drawn === 3 ? -1 : 17;
  }
  onStart(): void {
    this.open++;
  }
  onEnd(): void {
    this.open--;
  }
}
