import { describe, expect, test } from 'vitest';
import { alarmsCsv } from '../../src/report/alarms-csv.ts';
import { availabilityCsv } from '../../src/report/availability-csv.ts';
import { csv } from '../../src/report/csv.ts';
import { faultsCsv } from '../../src/report/faults-csv.ts';
import { summaryCsv } from '../../src/report/summary-csv.ts';
import { timeseriesCsv } from '../../src/report/timeseries-csv.ts';
import { ledgerCsv } from '../../src/report/ledger-csv.ts';
import { nodesCsv } from '../../src/report/nodes-csv.ts';
import { partsCsv } from '../../src/report/parts-csv.ts';
import { phasesCsv } from '../../src/report/phases-csv.ts';
import { queuesCsv } from '../../src/report/queues-csv.ts';
import { replicasCsv } from '../../src/report/replicas-csv.ts';
import { rolloutsCsv } from '../../src/report/rollouts-csv.ts';
import { scalingCsv } from '../../src/report/scaling-csv.ts';
import { trafficByVersionCsv } from '../../src/report/traffic-by-version-csv.ts';
import { waterfallsCsv } from '../../src/report/waterfalls-csv.ts';
import { bare, configured, rollouts } from './change.ts';
import { fixture } from './fixture.ts';
import { elastic, outage, shop } from './life.ts';

const run = fixture({ variants: 3, seeds: 4, windows: 5 });
const lines = (text: string): string[] => text.trimEnd().split('\n');

describe('cells', () => {
  test('text that a spreadsheet would run gets an apostrophe, numbers do not', () => {
    expect(
      csv(
        ['a', 'b'],
        [
          ['=1+1', -1.5],
          ['@x', 1e-7],
          ['-y', NaN],
          ['+z', null],
        ],
      ),
    ).toBe("a,b\n'=1+1,-1.5\n'@x,1e-7\n'-y,\n'+z,\n");
  });
  test('separators, quotes and line breaks are quoted', () => {
    expect(csv(['a'], [['x,"y"\nz']])).toBe('a\n"x,""y""\nz"\n');
  });
});

describe('summary', () => {
  const [header, ...rows] = lines(summaryCsv(run));
  test('one row per variant and metric that was measured: without a cache there is none about cache hits', () => {
    expect(header).toBe(
      'scenario,variant,metric,unit,mean,ci_low,ci_high,sd,seeds,baseline,difference,difference_low,difference_high,relative,verdict,adjusted_p',
    );
    expect(rows).toHaveLength(3 * (Object.keys(run.variants[0]!.estimates).length - 1));
    expect(rows.filter((row) => row.includes('cacheHits'))).toEqual([]);
  });
  test('a compared metric carries its paired difference, numbers in full', () => {
    const compared = run.comparisons.find((each) => each.variant === 'two choices' && each.metric === 'latency.p99')!;
    const row = rows.find((each) => each.startsWith('slow-node,two choices,latency.p99,'))!.split(',');
    expect(row[9]).toBe('round-robin');
    expect(Number(row[10])).toBe(compared.difference.mean);
    expect(Number(row[13])).toBe(compared.relative!.mean);
    expect(row[14]).toBe('better');
  });
  test('the baseline and metrics that are not compared leave those cells empty', () => {
    expect(rows.find((each) => each.startsWith('slow-node,round-robin,latency.p99,'))).toMatch(/,4,,,,,,,$/);
    expect(rows.find((each) => each.startsWith('slow-node,random,wait.mean,'))).toMatch(/,4,,,,,,,$/);
  });
  test('a label cannot smuggle in a formula', () => {
    expect(summaryCsv(fixture({ variants: 2, seeds: 2, windows: 3, labels: ['=cmd()', 'b'] }))).toContain(",'=cmd(),");
  });
});

describe('time series', () => {
  const [header, ...rows] = lines(timeseriesCsv(run));
  test('one row per variant, column and window, in seconds', () => {
    expect(header).toBe('window_start_s,variant,column,median,min,max');
    expect(rows).toHaveLength(3 * 9 * 5);
    expect(rows[1]).toMatch(/^1,round-robin,offered,\d+,[\d.]+,[\d.]+$/);
  });
  test('a window without a value has empty cells', () => {
    expect(rows).toContain('0,round-robin,latencyP99,,,');
  });
});

describe('parts', () => {
  test('one row per edge and variant: who calls whom, counts by outcome, means', () => {
    const [header, ...rows] = lines(partsCsv(shop(), 'edge')!);
    const columns = header!.split(',');
    expect(rows).toHaveLength(4 * 2);
    const row = Object.fromEntries(rows[3]!.split(',').map((cell, index) => [columns[index]!, cell]));
    expect(row).toMatchObject({ variant: 'retries', edge: 'web->db', caller: 'web', service: 'db', queue: '' });
    // 2000 calls per second for 100 s; 1.25 attempts each, so 2.5 messages for each of the 1000 requests per second of the traffic.
    expect(row).toMatchObject({ offered: '200000', timeout: '3480', error: '21', no_endpoint: '0', attempts: '1.25' });
    expect(row.sent_per_request).toBe('2.5');
  });
  test('classes carry priority and tenant, services how busy they were', () => {
    expect(lines(partsCsv(shop(), 'class')!)[3]).toMatch(/^slow-node,no retries,write,1,acme,20000,/);
    expect(lines(partsCsv(shop(), 'service')!)[3]).toMatch(/^slow-node,no retries,db,0\.62,200000,/);
  });
  test('there is no file about parts of a single service', () => {
    expect([partsCsv(run, 'edge'), partsCsv(run, 'class'), partsCsv(run, 'service')]).toEqual([null, null, null]);
  });
});

test('the ledger of every part adds up to what was offered', () => {
  const sums = new Map<string, number>();
  for (const row of lines(ledgerCsv(shop())).slice(1)) {
    const [part, outcome, requests] = /^slow-node,[^,]*,("[^"]*"|[^,]*),(\w+),(\d+)$/.exec(row)!.slice(1) as [
      string,
      string,
      string,
    ];
    if (outcome === 'degraded') continue;
    sums.set(part, (sums.get(part) ?? 0) + (outcome === 'offered' ? Number(requests) : -Number(requests)));
  }
  expect(sums.size).toBe(11);
  expect([...sums.values()].filter((sum) => sum !== 0)).toEqual([]);
});

test('queues have a row per window, at its end', () => {
  const rows = lines(queuesCsv(shop())!);
  expect(rows).toHaveLength(1 + 2 * 60);
  expect(rows[11]).toBe('slow-node,no retries,jobs,11,100,400,60000,59400,12,0');
  expect(queuesCsv(run)).toBeNull();
});

test('waterfalls have a row per span, in time since the request arrived', () => {
  const rows = lines(waterfallsCsv(shop())!);
  expect(rows).toHaveLength(1 + 2 * 3 * 11);
  expect(rows[1]).toBe('slow-node,no retries,1,shoppers,0,read,30000,150,ok,0,,request,shoppers,0,150,ok');
  expect(rows[9]).toBe('slow-node,no retries,1,shoppers,0,read,30000,150,ok,8,0,backoff,,100,120,');
  expect(waterfallsCsv(run)).toBeNull();
});

describe('faults', () => {
  const rows = lines(faultsCsv(outage())!);
  test('have a row per fault and variant, times since the fault began, and how many seeds tell', () => {
    expect(rows).toHaveLength(1 + 3 * 4);
    expect(rows[0]).toBe(
      'scenario,variant,fault,from_s,to_s,failed_in_excess,error_minutes,detected_ms,seeds_detected,seeds_telling_detected,' +
        'mitigated_ms,seeds_mitigated,seeds_telling_mitigated,recovered_ms,seeds_recovered,seeds_telling_recovered',
    );
    expect(rows[2]).toBe('slow-node,checks,hang api/0,20,40,230,0.5,1400,4,4,2000,4,4,1000,3,4');
  });
  test('what was not reached in most seeds has no time', () => {
    expect(rows[1]).toBe('slow-node,blind,hang api/0,20,40,1700,0.5,,1,4,20000,4,4,20000,4,4');
  });
  test('there is no file about them if none are planned', () => {
    const variants = run.variants.map((each) => ({ ...each, availability: { ...each.availability, faults: [] } }));
    expect(faultsCsv({ ...run, variants })).toBeNull();
  });
});

test('availability has a row per variant: objective, error minutes and what was spent of the budget', () => {
  const rows = lines(availabilityCsv(outage()));
  expect(rows[0]).toBe('scenario,variant,objective,minutes,error_minutes,budget_spent');
  expect(rows[1]).toBe('slow-node,blind,0.999,1.8,1,17');
});

describe('what comes and goes', () => {
  const file = elastic();
  test('replicas have a row per service that scales and window, at its start', () => {
    const rows = lines(replicasCsv(file)!);
    expect(rows[0]).toBe('scenario,variant,service,window_start_s,needed,desired,ready,present');
    expect(rows).toHaveLength(1 + 2 * 2 * 120);
    expect(rows[36]).toBe('slow-node,late,api,35,12,12,4,4');
  });
  test('changes of scale carry the reason, which no spreadsheet runs', () => {
    expect(lines(scalingCsv(file)!).slice(0, 3)).toEqual([
      'scenario,variant,at_s,service,from,to,reason',
      'slow-node,late,40,api,4,12,DesiredWithinRange',
      "slow-node,late,90,api,12,4,'=ScaleDown",
    ]);
  });
  test('nodes have a row per life, with the mean share reserved in it; the end of the run is none', () => {
    expect(lines(nodesCsv(file)!).slice(0, 4)).toEqual([
      'scenario,variant,node,zone,from_s,to_s,end,reserved',
      `slow-node,late,general/0,a,0,90,removed,${(30 * 0.25 + 60 * 0.75) / 90}`,
      'slow-node,late,spot/0,b,0,40.5,interrupted,0.5',
      'slow-node,late,spot/0,b,60,,,0.5',
    ]);
  });
  test('alarms have a row per change, with what was seen', () => {
    const rows = lines(alarmsCsv(file)!);
    expect(rows.slice(0, 3)).toEqual([
      'scenario,variant,at_s,service,change,value',
      'slow-node,late,20,api,fires,0.2',
      'slow-node,late,25,api,ceases,',
    ]);
  });
  test('names are kept from being run', () => {
    const variants = file.variants.map((each) => ({
      ...each,
      label: '=1+1',
      alarms: each.alarms.map((change) => ({ ...change, service: '@api' })),
    }));
    expect(lines(alarmsCsv({ ...file, variants })!)[1]).toBe("slow-node,'=1+1,20,'@api,fires,0.2");
  });
  test('there are no such files where nothing does', () => {
    expect([replicasCsv(run), scalingCsv(run), nodesCsv(run), alarmsCsv(run)]).toEqual([null, null, null, null]);
  });
});

describe('what is rolled out', () => {
  const file = rollouts();
  test('has a row per roll-out and seed; what never came is empty', () => {
    const rows = lines(rolloutsCsv(file)!);
    expect(rows[0]).toBe(
      'scenario,variant,seed,service,kind,from,to,quality,started_s,exposed_s,decided_s,ended_s,outcome,offered,exposed,failed,slow,user_minutes,slow_from_ms',
    );
    expect(rows).toHaveLength(1 + 3 * 3 * 2);
    expect(rows[1]).toBe(
      `slow-node,all-at-once,${file.seeds[0]},api,release,v1,v2,bad,26,30,30,31,succeeded,5000,1000,200,100,67,120`,
    );
    expect(lines(rolloutsCsv(bare())!)[1]).toMatch(/,api,release,v1,v2,good,1,,,,idle,0,0,0,0,0,$/);
  });
  test('has its phases with their reasons, of the first seed', () => {
    expect(lines(phasesCsv(file)!).slice(0, 3)).toEqual([
      'scenario,variant,at_s,service,kind,phase,reason',
      'slow-node,all-at-once,26,api,release,progressing,Replacing',
      'slow-node,all-at-once,30,api,release,succeeded,Replaced',
    ]);
  });
  test('has its traffic per version and window, at its start', () => {
    const rows = lines(trafficByVersionCsv(file)!);
    expect(rows[0]).toBe('scenario,variant,service,kind,version,window_start_s,requests,failed,hosts');
    expect(rows).toHaveLength(1 + 3 * 3 * 120);
    expect(rows[1 + 360 + 120 + 40]).toBe('slow-node,argo-canary,api,release,v2,40,50,10,1.1');
  });
  test('names are kept from being run', () => {
    const variants = configured().variants.map((each) => ({ ...each, label: '=1+1' }));
    for (const write of [rolloutsCsv, phasesCsv, trafficByVersionCsv])
      expect(lines(write({ ...configured(), variants })!)[1]).toMatch(/^slow-node,'=1\+1,/);
  });
  test('there are no such files where nothing is', () => {
    expect([rolloutsCsv(run), phasesCsv(run), trafficByVersionCsv(run)]).toEqual([null, null, null]);
  });
});
