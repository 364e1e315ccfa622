import { beforeEach, describe, expect, it } from 'vitest';
import { type Failover, priorityFailover } from '../../../src/policies/recovery/index.ts';

describe('priority-failover', () => {
  let log: string[];
  const make = (params: Parameters<typeof priorityFailover.make>[0] = {}): Failover =>
    priorityFailover.make(params, { sites: 3, sink: { switchTo: (site, nowMs) => log.push(`${nowMs}: ${site}`) } });
  beforeEach(() => {
    log = [];
  });

  it('leaves after ten seconds of failing, to the millisecond, and goes back after a minute of health', () => {
    const failover = make();
    failover.report(0, 0.4, 1000);
    expect(failover.nextTimerMs()).toBe(11_000);
    failover.onTimer(10_999);
    expect(log).toEqual([]);
    failover.onTimer(11_000);
    failover.report(0, 0.9, 20_000);
    expect(failover.nextTimerMs()).toBe(80_000);
    failover.onTimer(80_000);
    expect(log).toEqual(['11000: 1', '80000: 0']);
    expect(failover.nextTimerMs()).toBe(Infinity);
  });

  it('begins to count again after a break', () => {
    const failover = make();
    failover.report(0, 0.4, 0);
    failover.report(0, 0.6, 9000);
    failover.report(0, 0.4, 9500);
    failover.onTimer(19_499);
    expect(failover.active).toBe(0);
    failover.onTimer(19_500);
    expect(failover.active).toBe(1);
  });

  it('leaves a site what it was between the two thresholds', () => {
    const failover = make();
    failover.report(0, 0.6, 0);
    failover.onTimer(1e6);
    expect(failover.active).toBe(0);
    failover.report(0, 0.1, 1e6);
    failover.onTimer(1.1e6);
    failover.report(0, 0.6, 1.2e6);
    failover.onTimer(2e6);
    expect(failover.active).toBe(1);
  });

  it('stays without fail-back until the site it is at fails', () => {
    const failover = make({ failBack: false, failAfter: 0, failBackDelay: 0 });
    failover.report(0, 0, 0);
    failover.report(0, 1, 10);
    expect(failover.active).toBe(1);
    failover.report(1, 0, 20);
    expect(log).toEqual(['0: 1', '20: 0']);
  });

  it('counts a change that was due before the report that would have undone it', () => {
    const failover = make();
    failover.report(0, 0, 0);
    failover.report(0, 1, 60_000);
    expect(log).toEqual(['60000: 1']);
  });
});
