/** Whatever endpoints, policies, timers and callers do, in whatever order: books balance. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Balancer, EndpointView } from '../../../src/policies/balancing/balancer.ts';
import type { PipelineSettings } from '../../../src/policies/pipeline/generation.ts';
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
const policies = fc.record({
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
const script = fc.record({
  replies: fc.array(reply, { minLength: 1, maxLength: 12 }),
  /** What the caller does, a step per ms or so: starts requests and gives them up. A client that can be reconfigured is, now and then. */
  steps: fc.array(
    fc.record({
      waitMs: delay,
      leftMs: fc.constantFrom(Infinity, Infinity, 0, 4, 10),
      isRepeatable: fc.boolean(),
      cancels: fc.option(fc.nat(9), { nil: undefined }),
      policies: fc.option(policies, { nil: undefined, freq: 2 }),
      keepsBalancer: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  startsOnFinish: fc.nat(3),
  chance: fc.nat(),
  policies,
});

describe('in every course of events', () => {
  test.each([
    ['all that was taken is given back', false],
    ['of all settings that were ever in force nothing is kept', true],
  ])('every request finishes once, and %s', (_, isReconfigurable) => {
    // What the runs have met: a property that never saw a hedge says nothing about hedges.
    const met = new Map<string, number>();
    fc.assert(
      fc.property(script, (given) => {
        const rng = testRng(given.chance);
        const mostly = (): boolean => rng.next() < 0.7;
        const books: Books[] = [];
        const settingsOf = (chosen: Chosen, balancer: CountingBalancer): PipelineSettings => {
          const book: Books = {
            balancer,
            budget: chosen.hasBudget ? new BookkeepingBudget(mostly) : undefined,
            breaker: chosen.hasBreaker ? new BookkeepingBreaker(mostly) : undefined,
            admission: chosen.hasAdmission ? new BookkeepingAdmission(mostly) : undefined,
          };
          books.push(book);
          return {
            ...book,
            timeoutMs: chosen.timeoutMs,
            attemptTimeoutMs: chosen.attemptTimeoutMs,
            retry: chosen.waitsMs && retrying(chosen.waitsMs, chosen.on),
            hedge: chosen.hedge && new BookkeepingHedge(chosen.hedge.waitMs, { ...chosen.hedge, allows: mostly }),
            fallback: chosen.fallback,
          };
        };
        const parts: Partial<PipelineParts> & PipelineSettings = {
          ...settingsOf(given.policies, new CountingBalancer(() => rng.below(5))),
          hasDeadlines: true,
          isReconfigurable,
        };
        let replies = 0;
        let extra = given.startsOnFinish;
        let started = 0;
        const world: World = new World({
          balancer: parts.balancer,
          parts,
          reply: () => given.replies[replies++ % given.replies.length],
          onFinish: () => {
            if (extra-- > 0) {
              started++;
              world.start(20);
            }
          },
        });
        for (const step of given.steps) {
          const { waitMs, leftMs, isRepeatable, cancels } = step;
          if (isReconfigurable && step.policies !== undefined) {
            const balancer = step.keepsBalancer ? books.at(-1)!.balancer : new CountingBalancer(() => rng.below(5));
            world.pipeline.reconfigure(settingsOf(step.policies, balancer));
            for (const book of books) book.balancer.isCurrent = book.balancer === balancer;
          }
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

        const sum = (of: (book: Books) => number): number => books.reduce((total, book) => total + of(book), 0);
        expect(world.violations).toEqual([]);
        const finished = world.decisions.filter(({ kind }) => kind === 'finished').map(({ request }) => request);
        expect(finished.toSorted((a, b) => a - b)).toEqual(Array.from({ length: started }, (_, i) => i));
        expect({
          alive: world.requestsAlive,
          out: world.attemptsOut,
          timers: world.timersArmed,
          atEndpoints: [...world.endpoints.table.active.subarray(0, 3)],
          atBalancers: sum(({ balancer }) => balancer.open),
          ofBudgets: sum(({ budget }) => budget?.open ?? 0),
          permits: books.flatMap(({ breaker }) => (breaker === undefined ? [] : [...breaker.open, ...breaker.mistakes])),
          admitted: sum(({ admission }) => admission?.open ?? 0),
          active: world.pipeline.active,
          settings: world.pipeline.settingsInUse,
        }).toEqual({
          alive: [],
          out: 0,
          timers: [],
          atEndpoints: [0, 0, 0],
          atBalancers: 0,
          ofBudgets: 0,
          permits: [],
          admitted: 0,
          active: 0,
          settings: 1,
        });
        met.set('late pick', (met.get('late pick') ?? 0) + sum(({ balancer }) => balancer.latePicks));
        for (const { balancer } of books) balancer.updates = 0;
        world.endpoints.setWeight(0, 2, world.nowMs);
        const hearing = new Set(books.filter(({ balancer }) => balancer.updates > 0).map(({ balancer }) => balancer));
        expect([...hearing]).toEqual([books.at(-1)!.balancer]);
        expect(books.at(-1)!.balancer.updates).toBe(1);
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
      ...(isReconfigurable ? ['late pick'] : []),
    ];
    expect(rare.filter((key) => (met.get(key) ?? 0) < 20)).toEqual([]);
  });
});

type Chosen = typeof policies extends fc.Arbitrary<infer Value> ? Value : never;

/** What keeps books in one configuration. */
interface Books {
  readonly balancer: CountingBalancer;
  readonly budget: BookkeepingBudget | undefined;
  readonly breaker: BookkeepingBreaker | undefined;
  readonly admission: BookkeepingAdmission | undefined;
}

/** Picks a member, nobody, or now and then an endpoint that does not exist. */
class CountingBalancer implements Balancer {
  open = 0;
  updates = 0;
  isCurrent = true;
  /** For requests that began before another took its place. */
  latePicks = 0;
  private view: EndpointView | undefined;
  private readonly draw: () => number;

  constructor(draw: () => number) {
    this.draw = draw;
  }
  update(view: EndpointView): void {
    this.view = view;
    this.updates++;
  }
  pick(): number {
    const drawn = this.draw();
    if (!this.isCurrent) this.latePicks++;
    return drawn < this.view!.count ? this.view!.members[drawn] : drawn === 3 ? -1 : 17;
  }
  onStart(): void {
    this.open++;
  }
  onEnd(): void {
    this.open--;
  }
}
