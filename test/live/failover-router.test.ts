/** Sites with real servers behind one address, time moved on by hand. */
import { afterEach, expect, test } from 'vitest';
import { createProxy, FailoverRouter } from '../../src/live/index.ts';
import { priorityFailover } from '../../src/policies/recovery/failover/index.ts';
import { inTurn } from '../policies/pipeline/world.ts';
import { ask, Backends } from './backends.ts';
import { ManualTime } from './manual-time.ts';

const backends = new Backends();
afterEach(() => backends.close());

test('requests go to the stand-by once the preferred site has failed for long enough, and back after the delay', async () => {
  let isHomeWell = true;
  const home = await backends.serve((_request, response) => void response.writeHead(isHomeWell ? 200 : 500).end('home'));
  const abroad = await backends.serve((_request, response) => void response.end('abroad'));
  const time = new ManualTime();
  const healthCheck = { use: 'haproxy', inter: 100, fall: 2, rise: 2, fastinter: 0 };
  const site = (url: string) =>
    createProxy({ endpoints: [url], balancer: inTurn, healthCheck, clock: time, timers: time, startsFit: true });
  const sites = [site(home.url), site(abroad.url)];
  const params = { failAfter: 1000, failBackDelay: 5000 };
  const switches: (readonly [number, number])[] = [];
  const router = backends.keep(
    new FailoverRouter({
      sites,
      failover: { use: 'priority-failover', ...params },
      onSwitch: (to, atMs) => switches.push([to, atMs]),
      clock: time,
      timers: time,
    }),
  );
  const port = await router.listen(0);
  const passTo = (ms: number): Promise<void> => time.passTo(ms, () => sites.every(({ watch }) => watch.probesUnderWay === 0));
  // What the policy is told, to be told again to another object of its kind.
  const reports: (readonly [number, number, number])[] = [];
  sites.forEach((each, number) => each.onChange(() => reports.push([number, each.healthyShare, time.now()])));
  await passTo(2000);
  expect((await ask(port)).text).toBe('home');
  isHomeWell = false;
  await passTo(3900);
  expect((await ask(port)).text).toBe('abroad');
  expect(router.active).toBe(1);
  isHomeWell = true;
  await passTo(8000);
  expect((await ask(port)).text).toBe('abroad');
  await passTo(12_000);
  expect((await ask(port)).text).toBe('home');
  const virtual: (readonly [number, number])[] = [];
  const failover = priorityFailover.make(params, { sites: 2, sink: { switchTo: (to, nowMs) => virtual.push([to, nowMs]) } });
  for (const [number, share, nowMs] of reports) {
    while (failover.nextTimerMs() <= nowMs) failover.onTimer(failover.nextTimerMs());
    failover.report(number, share, nowMs);
  }
  while (failover.nextTimerMs() <= 12_000) failover.onTimer(failover.nextTimerMs());
  expect(switches.map(([to]) => to)).toEqual([1, 0]);
  expect(switches).toEqual(virtual);
  await router.close();
  expect(time.pending).toBe(0);
});
