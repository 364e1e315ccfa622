/** What autoscalers and alarms get to see, how late, and what they make of it. Times in ms. */
import { describe, expect, test } from 'vitest';
import type { ScaleObservation } from '../../../src/policies/autoscaling/autoscaler.ts';
import type { Alarm } from '../../../src/policies/detection/alarms/alarm.ts';
import { priorityFailover } from '../../../src/policies/recovery/failover/index.ts';
import type { FailoverDeps } from '../../../src/policies/recovery/failover/failover.ts';
import { heartbeat } from '../../../src/policies/detection/heartbeat.ts';
import { crash, errors, play } from '../world-builder.ts';
import { fault, once } from '../failures/setup.ts';
import { scripted, steadily } from './setup.ts';

describe('the metrics pipeline', () => {
  /** What was seen at each look: replicas’ cpu, and metrics of the service. */
  function looks(rest: Parameters<typeof play>[0], names: readonly string[] = []) {
    const seen: { at: number; cpu: (number | undefined)[]; service: (number | undefined)[]; age: number | undefined }[] = [];
    const onLook = (observation: ScaleObservation): void => {
      const samples = observation.replicas.map((replica) => replica.metric('cpu'));
      seen.push({
        at: observation.nowMs,
        cpu: samples.map((sample) => sample && Math.round(sample.value * 1000) / 1000),
        service: names.map((name) => observation.metric(name)?.value),
        age: samples[0] && observation.nowMs - samples[0].atMs,
      });
    };
    play({ service: scripted({ everyMs: 50, onLook }), ...rest });
    return seen;
  }

  test('shows cores in use, averaged over the window, as old as the delay makes it', () => {
    // Work of 5 every 10 on one of two slots, which use 3 cores together: 0.25 busy, 0.75 cores.
    const elastic = { cpu: 2000, cpuLimit: 3000 };
    const pipeline = { scrapeMs: 20, windowMs: 40, delayMs: 15 };
    const seen = looks({ at: steadily(10, 300), work: 5, slots: 2, elastic, pipeline, durationMs: 300 });
    expect(seen.map(({ cpu }) => cpu)).toEqual([[0.75], [0.75], [0.75], [0.75], [0.75]]);
    // Scrapes at 20, 40...; with a delay of 15 what is seen at 50 is that of 20, at 100 that of 80.
    expect(seen.map(({ age }) => age)).toEqual([30, 20, 30, 20, 30]);
  });

  test('is read before anybody decides at the same instant, whatever the periods', () => {
    const pipeline = { scrapeMs: 10, windowMs: 10 };
    expect(looks({ at: [], pipeline, durationMs: 201 }).map(({ age }) => age)).toEqual([0, 0, 0, 0]);
  });

  test('shows nothing of an instance that has not been up for a whole window, or is down', () => {
    const pipeline = { scrapeMs: 10, windowMs: 30 };
    const sizes: number[] = [];
    const onLook = ({ replicas }: ScaleObservation): void =>
      void sizes.push(replicas.filter((replica) => replica.metric('cpu') !== undefined).length);
    const service = scripted({ counts: [[100, 3]], everyMs: 5, onLook });
    play({ at: [], instances: 2, pipeline, durationMs: 200, startupMs: 12, service, faults: [crash(0, 162, 20)] });
    const from = (atMs: number): number => sizes[atMs / 5 - 1];
    // The third is up at 112: scrapes at 120, 130, 140 and 150 make a window.
    expect([from(95), from(145), from(155), from(165), from(175)]).toEqual([2, 2, 3, 3, 2]);
  });

  test('loses measurements at random, each instance by itself, and all in an outage', () => {
    let found = 0;
    let all = 0;
    let blind = 0;
    const onLook = ({ replicas, nowMs, metric }: ScaleObservation): void => {
      if (nowMs < 5000) {
        for (const replica of replicas) if (replica.metric('cpu') !== undefined) found++;
        all += replicas.length;
      } else if (metric('concurrency') === undefined && replicas[0].metric('cpu') === undefined) blind++;
    };
    const faults = [fault({ type: 'metrics-outage' }, [], once(5000, 1000))];
    const pipeline = { scrapeMs: 10, windowMs: 10, missing: 0.3 };
    play({ at: [], instances: 10, durationMs: 6000, pipeline, faults, service: scripted({ everyMs: 10, onLook }) });
    // 4990 draws: sd 0.65 %.
    expect(found / all).toBeGreaterThan(0.68);
    expect(found / all).toBeLessThan(0.72);
    expect(blind).toBe(100);
  });

  test('shows rates, times and errors of the service', () => {
    const names = [
      'requests-per-second',
      'service-time',
      'error-rate',
      'latency.p50',
      'concurrency',
      'utilization',
      'queue/none',
    ];
    const setup = { at: steadily(10, 300), work: 4, pipeline: { scrapeMs: 50, windowMs: 50 }, durationMs: 201 };
    const [, , , last] = looks({ ...setup, faults: [errors(0, 1, 100, 1000)] }, names);
    const [rate, time, failed, p50, concurrency, utilization, queue] = last.service;
    expect([rate, failed, queue]).toEqual([100, 1, undefined]);
    expect(time).toBeCloseTo(4, 6);
    // Nothing ended well.
    expect(p50).toBeUndefined();
    expect([concurrency, utilization].map((value) => Math.round(value! * 100) / 100)).toEqual([0.4, 0.4]);
  });
});

describe('alarms', () => {
  /** Fires above one half, and remembers what it was shown. */
  const above = (shown: number[]): { alarm: () => Alarm } => ({
    alarm: () => ({
      update: (value) => {
        shown.push(value);
        return value > 0.5;
      },
    }),
  });
  const watching = { scrapeMs: 50, windowMs: 50, watch: 'error-rate', evaluateMs: 50 };

  test('are shown the metric at every evaluation; incidents are noticed, missed, or imagined', () => {
    const shown: number[] = [];
    const faults = [
      errors(0, 1, 120, 100),
      // Nobody notices a slow-down in the error rate.
      fault({ type: 'slow', factor: 1.5, requests: 1 }, [0], once(600, 100)),
    ];
    const played = play({ at: steadily(10, 1000), work: 1, pipeline: watching, faults, service: above(shown) });
    expect(shown.slice(0, 7)).toEqual([0, 0, 0.6, 1, 0.4, 0, 0]);
    expect(played.alarms.map(({ atMs, fires }) => [atMs, fires])).toEqual([
      [150, true],
      [250, false],
    ]);
    expect(played.metrics).toMatchObject({ 'alarm.time': 30, 'alarm.missed': 0.5, 'alarm.false': 0 });
    expect(played.elastic).toBeNull();
  });

  test('one that fires in calm is false', () => {
    const played = play({
      at: [],
      pipeline: { ...watching, watch: 'concurrency' },
      service: { alarm: () => ({ update: () => true }) },
    });
    // Once in the run of 1 s, which an hour has 3600 of.
    expect(played.metrics).toMatchObject({ 'alarm.false': 3600 });
    expect(played.metrics['alarm.missed']).toBeNaN();
  });
});

describe('a processor that others take', () => {
  const stolen = (share: number) => [fault({ type: 'cpu-exhaustion', share }, [0], once(0))];

  test.each(['fifo', 'processor-sharing'] as const)('%s: harmless while enough is left, slow when not', (discipline) => {
    const setup = { slots: 4, work: 8, discipline, faults: stolen(0.5) } as const;
    // Two cores are left: two at once take 8 each, four at once 16.
    const pair = play({ ...setup, at: [1, 1] });
    expect(pair.attempts.map(({ latencyMs }) => Math.round(latencyMs * 1000) / 1000)).toEqual([8, 8]);
    const four = play({ ...setup, at: [1, 1, 1, 1] });
    expect(four.attempts.map(({ latencyMs }) => Math.round(latencyMs * 1000) / 1000)).toEqual([16, 16, 16, 16]);
  });

  test('who comes and goes changes the share of the others', () => {
    const { attempts } = play({ slots: 2, work: 8, at: [0, 4], faults: stolen(0.5) });
    // One core: alone until 4, half speed from then on. The first has 4 left and is done at 12; the other has then done 4, and ends at 16.
    expect(attempts.map(({ endedMs }) => Math.round(endedMs * 1000) / 1000)).toEqual([12, 16]);
  });

  test('and it is over at once', () => {
    const faults = [fault({ type: 'cpu-exhaustion', share: 0.75 }, [0], once(0, 8))];
    const { attempts } = play({ slots: 1, work: 8, at: [0], faults });
    // 2 done by 8.
    expect(attempts[0].endedMs).toBeCloseTo(14, 5);
  });
});

describe('failover between zones', () => {
  const instances = [{ zone: 'a' }, { zone: 'a' }, { zone: 'b' }, { zone: 'b' }];
  const failover = (deps: FailoverDeps) => priorityFailover.make({ failAfter: 20, failBackDelay: 50 }, deps);
  const detector = (deps: Parameters<typeof heartbeat.make>[1]) => heartbeat.make({ every: 5, misses: 2 }, deps);

  test('all traffic goes to the first zone while it is well, to the next when it is not, and back after a while', () => {
    const faults = [crash(0, 100, 100), crash(1, 100, 100)];
    const played = play({ at: steadily(2, 400), work: 0.1, instances, faults, edge: { failover, detector } });
    const zones = (fromMs: number, toMs: number): number[] => [
      ...new Set(
        played.attempts.filter(({ sentMs }) => sentMs >= fromMs && sentMs < toMs).map(({ slot }) => Math.floor(slot / 2)),
      ),
    ];
    // Refused or nowhere to go until the detector and then the failover policy have had their time, at most 100 + 15 + 20.
    expect([zones(0, 115), zones(115, 200)]).toEqual([[0], [1]]);
    // Back from 200 on; trusted at the next heartbeat, and 50 after that.
    expect([zones(200, 250), zones(256, 400)]).toEqual([[1], [0]]);
  });

  test('one that has no say in it is never left out of judgement', () => {
    const faults = [crash(2, 100, 100)];
    const played = play({ at: steadily(2, 400), work: 0.1, instances, faults, edge: { failover, detector } });
    expect(played.metrics['detection.missed']).toBe(0);
    expect(played.metrics['detection.mistakes']).toBe(0);
  });
});
