/** Other settings while requests are out: who lives by which. */
import { describe, expect, it } from 'vitest';
import type { Balancer, EndpointView, PickContext } from '../../../src/policies/balancing/balancer.ts';
import { healthStates } from '../../../src/policies/balancing/balancer.ts';
import { type Reply, World } from './world.ts';
import { BookkeepingAdmission, BookkeepingBreaker, BookkeepingBudget, BookkeepingHedge, retrying } from './policies.ts';

/** Always this slot; counts what it hears. */
class Fixed implements Balancer {
  readonly judgesHealth?: boolean;
  open = 0;
  updates = 0;
  reports = 0;
  probed = 0;
  readonly previous: number[] = [];
  private readonly slot: number;

  constructor(slot: number, judgesHealth?: boolean) {
    this.slot = slot;
    if (judgesHealth !== undefined) this.judgesHealth = judgesHealth;
  }
  update(_view: EndpointView): void {
    this.updates++;
  }
  pick({ previous }: PickContext): number {
    this.previous.push(previous);
    return this.slot;
  }
  onStart(): void {
    this.open++;
  }
  onEnd(): void {
    this.open--;
  }
  onReport(): void {
    this.reports++;
  }
  probes(): number {
    this.probed++;
    return 0;
  }
}

const isReconfigurable = true;
const error: Reply = { outcome: 'error', afterMs: 5 };

describe('a request that is out', () => {
  it('is tried again by the retry policy, budget, breaker and balancer that it began with; one that begins is not', () => {
    const [former, latter] = [new Fixed(0), new Fixed(1)];
    const [budget, breaker] = [new BookkeepingBudget(), new BookkeepingBreaker()];
    const [laterBudget, laterBreaker] = [new BookkeepingBudget(), new BookkeepingBreaker()];
    const world = new World({
      balancer: former,
      reply: () => error,
      parts: { isReconfigurable, retry: retrying([3, 3]), budget, breaker },
    });
    world.start();
    world.advance(6);
    world.pipeline.reconfigure({ balancer: latter, budget: laterBudget, breaker: laterBreaker });
    world.start();
    expect(world.pipeline.breaker).toBe(laterBreaker);
    expect(world.pipeline.balancer).toBe(latter);
    world.advance(100);
    expect(world.story).toEqual([
      '0 sent 0.0 to a',
      '5 ended 0.0 error',
      '6 sent 1.0 to b',
      '8 sent 0.1 to a (retry)',
      '11 ended 1.0 error',
      '11 finished 1 error',
      '13 ended 0.1 error',
      '16 sent 0.2 to a (retry)',
      '21 ended 0.2 error',
      '21 finished 0 error',
    ]);
    expect(breaker.log.filter((line) => line.startsWith('permit'))).toHaveLength(3);
    expect(laterBreaker.log).toEqual(['permit 0', '0 bad after 5']);
    expect(budget.log.filter((line) => line.startsWith('granted'))).toHaveLength(2);
    expect(laterBudget.log).toEqual(['request, 2 active', 'failure']);
    expect([former.open, latter.open, budget.open, breaker.open.size]).toEqual([0, 0, 0, 0]);
    expect(world.violations).toEqual([]);
  });

  it('is hedged as its hedging policy says, and the latency is that policy’s to learn', () => {
    const [hedge, laterHedge] = [new BookkeepingHedge(4), new BookkeepingHedge(100)];
    const world = new World({ reply: () => ({ outcome: 'ok', afterMs: 10 }), parts: { isReconfigurable, hedge } });
    world.start();
    world.pipeline.reconfigure({ balancer: new Fixed(2), hedge: laterHedge });
    world.advance(50);
    expect(world.story.slice(0, 2)).toEqual(['0 sent 0.0 to a', '4 sent 0.1 to b (hedge)']);
    expect(hedge.log).toEqual(['request', 'hedge', 'latency 10', 'latency 6']);
    expect(laterHedge.log).toEqual([]);
  });

  it('keeps its timeout, its attempt timeouts and its fallback; the next one has others', () => {
    const world = new World({
      reply: () => 'silence',
      parts: {
        isReconfigurable,
        timeoutMs: 30,
        attemptTimeoutMs: 10,
        retry: retrying([1]),
        fallback: { on: ['timeout'], takesMs: 2 },
      },
    });
    world.start();
    world.pipeline.reconfigure({ balancer: new Fixed(1), timeoutMs: 100, attemptTimeoutMs: 20, retry: retrying([0]) });
    world.start();
    world.advance(200);
    expect(world.story).toEqual([
      '0 sent 0.0 to a',
      '0 sent 1.0 to b',
      '10 dropped 0.0',
      '11 sent 0.1 to b (retry)',
      '20 dropped 1.0',
      '20 sent 1.1 to b (retry)',
      '21 dropped 0.1',
      '23 finished 0 ok (fallback)',
      '40 dropped 1.1',
      '40 finished 1 timeout',
    ]);
    expect(world.calls.filter((call) => call.includes('armTimeout'))).toEqual([
      '0 armTimeout 0 30 true',
      '0 armTimeout 1 100 true',
    ]);
    expect(world.timersArmed).toEqual([]);
  });

  it.each([
    ['has its timers taken back where its successors have none', { timeoutMs: 30, attemptTimeoutMs: 10 }, {}],
    ['has no timers to take back where its successors have some', {}, { timeoutMs: 30, attemptTimeoutMs: 10 }],
  ])('%s', (_, before, after) => {
    const world = new World({ reply: () => ({ outcome: 'ok', afterMs: 4 }), parts: { isReconfigurable, ...before } });
    world.start();
    world.pipeline.reconfigure({ balancer: new Fixed(1), ...after });
    world.start();
    world.advance(1);
    world.cancel(1);
    world.advance(4);
    expect(world.results).toEqual(['ok', 'cancelled']);
    expect(world.timersArmed).toEqual([]);
    expect(world.violations).toEqual([]);
  });

  it('ends with the admission control that let it in', () => {
    const [former, latter] = [new BookkeepingAdmission(), new BookkeepingAdmission()];
    const world = new World({ reply: () => error, parts: { isReconfigurable, admission: former } });
    world.start();
    world.pipeline.reconfigure({ balancer: new Fixed(1), admission: latter });
    world.start();
    expect(world.pipeline.admission).toBe(latter);
    expect([former.open, latter.open]).toEqual([1, 1]);
    world.advance(10);
    expect([former.open, latter.open]).toEqual([0, 0]);
    // What the client has in flight is what the client has in flight.
    expect(latter.log[0]).toBe('admitted 0/0/0 beside 1');
  });

  it('may be sent where its own balancer judges health, and not where only its successor’s does', () => {
    const world = new World({
      balancer: new Fixed(0, true),
      reply: () => error,
      parts: { isReconfigurable, retry: retrying([1]) },
    });
    world.endpoints.setHealth(0, healthStates.unhealthy, 0);
    world.start();
    world.pipeline.reconfigure({ balancer: new Fixed(0) });
    world.start();
    world.advance(20);
    expect(world.story.slice(0, 3)).toEqual(['0 sent 0.0 to a', '0 invalid pick 0 for 1', '0 finished 1 noEndpoint']);
    expect(world.story).toContain('6 sent 0.1 to a (retry)');
    const reverse = new World({ balancer: new Fixed(0), reply: () => error, parts: { isReconfigurable, retry: retrying([1]) } });
    reverse.start();
    reverse.endpoints.setHealth(0, healthStates.unhealthy, 0);
    reverse.pipeline.reconfigure({ balancer: new Fixed(0, true) });
    reverse.advance(20);
    expect(reverse.results).toEqual(['noEndpoint']);
  });
});

describe('settings that are no longer current', () => {
  it('are forgotten with the last request that lives by them; until then their balancer hears of the endpoints', () => {
    const [former, latter] = [new Fixed(0), new Fixed(1)];
    const world = new World({ balancer: former, reply: () => error, parts: { isReconfigurable } });
    world.start();
    world.pipeline.reconfigure({ balancer: latter });
    expect([former.updates, latter.updates, world.pipeline.settingsInUse]).toEqual([1, 1, 2]);
    world.endpoints.setWeight(2, 5, 1);
    expect([former.updates, latter.updates]).toEqual([2, 2]);
    world.advance(5);
    expect(world.pipeline.settingsInUse).toBe(1);
    world.endpoints.setWeight(2, 6, 6);
    expect([former.updates, latter.updates]).toEqual([2, 3]);
  });

  it('do not add up, however often they change', () => {
    const world = new World({ reply: () => error, parts: { isReconfigurable } });
    let most = 0;
    for (let i = 0; i < 200; i++) {
      world.start();
      world.pipeline.reconfigure({ balancer: new Fixed(i % 3) });
      world.advance(1);
      most = Math.max(most, world.pipeline.settingsInUse);
    }
    // A request takes 5 ms, and there is one per ms: of those that began in the 4 ms before, and the current ones.
    expect(most).toBe(5);
    expect(Math.max(...world.attempts.generation)).toBeLessThan(8);
  });

  it('may share a balancer with the current ones, which goes on hearing, once', () => {
    const balancer = new Fixed(0);
    const world = new World({ balancer, reply: () => error, parts: { isReconfigurable } });
    world.start();
    world.pipeline.reconfigure({ balancer, timeoutMs: 3 });
    world.advance(10);
    world.endpoints.setWeight(2, 5, 10);
    expect([balancer.updates, balancer.open]).toEqual([2, 0]);
  });

  it('hear no reports and ask for no probes: the current ones do', () => {
    const [former, latter] = [new Fixed(0), new Fixed(1)];
    const world = new World({ balancer: former, reply: () => error, parts: { isReconfigurable, retry: retrying([1]) } });
    world.start();
    world.pipeline.reconfigure({ balancer: latter });
    world.advance(20);
    expect(world.story).toContain('6 sent 0.1 to a (retry)');
    world.start();
    const report = {
      queriesPerSecond: 0,
      errorsPerSecond: 0,
      utilization: 0,
      inFlight: 0,
      queueLength: 0,
      latencyMs: 0,
      isProbe: false,
    };
    world.pipeline.onReport(0, report);
    expect([former.probed, latter.probed, former.reports, latter.reports]).toEqual([1, 1, 0, 1]);
  });
});

describe('a pipeline', () => {
  it('that was not made for it cannot be reconfigured', () => {
    expect(() => new World().pipeline.reconfigure({ balancer: new Fixed(0) })).toThrow('that was not made for it');
  });

  it('that is never reconfigured decides as one that cannot be', () => {
    const story = (can: boolean): readonly string[] => {
      const replies: Reply[] = [error, { outcome: 'ok', afterMs: 2 }, 'silence', { outcome: 'refused' }];
      let asked = 0;
      const world = new World({
        reply: () => replies[asked++ % replies.length],
        parts: { ...(can ? { isReconfigurable } : {}), timeoutMs: 40, attemptTimeoutMs: 10, retry: retrying([2, 4]) },
      });
      for (let i = 0; i < 20; i++) {
        world.start();
        world.advance(3);
      }
      world.advance(100);
      return world.story;
    };
    expect(story(true)).toEqual(story(false));
  });

  it('tells the balancer where the attempt before went', () => {
    const balancer = new Fixed(2);
    const world = new World({ balancer, reply: () => error, parts: { retry: { ...retrying([1, 1]), hostSelectionRetries: 1 } } });
    world.start();
    world.advance(30);
    world.start();
    // Each retry picks twice, since the endpoint was tried before.
    expect(balancer.previous).toEqual([-1, 2, 2, 2, 2, -1]);
  });

  it.each([
    ['plain', {}],
    ['full', { attemptTimeoutMs: 100 }],
  ])('that is %s says how long each attempt took, also where the balancer does not ask', (_, parts) => {
    const ends: string[] = [];
    const outlier = {
      onEnd: (slot: number, outcome: number, nowMs: number, latencyMs: number) =>
        ends.push(`${slot} ${outcome} ${nowMs} ${latencyMs}`),
    };
    const world = new World({
      reply: ({ endpoint }) => ({ outcome: 'error', afterMs: 5 + endpoint }),
      parts: { ...parts, outlier },
    });
    world.advance(3);
    world.start();
    world.start();
    world.advance(20);
    world.start();
    world.advance(1);
    world.cancel(2);
    expect(ends).toEqual(['0 1 8 5', '1 1 9 6', '2 5 24 1']);
  });
});
