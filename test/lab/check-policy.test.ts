/** `policies check` against policies that break one rule each, and against good ones. Runs in this thread, as from sources; what only
 *  a thread of its own can catch is tested with the built program, in `test/cli/policies-check.test.ts`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { policyTemplate } from '../../src/cli/templates.ts';
import { InputError } from '../../src/core/errors.ts';
import { checkPolicy, type CheckPolicyOptions, checkRequest } from '../../src/lab/check-policy.ts';
import { heapGrowth } from '../../src/lab/heap-growth.ts';
import { policyChecks } from '../../src/lab/policy-checks.ts';

const folder = mkdtempSync(join(tmpdir(), 'clusterlab-check-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Round robin, and what can be done wrong with it. */
const fixtures = `
export class Honest {
  turn = 0;
  constructor(deps, params) { this.deps = deps; this.step = params.step ?? 1; }
  update(view) { this.view = view; }
  pick(context) {
    const { view } = this;
    this.turn += this.step;
    return view.count === 0 ? -1 : view.members[this.turn % view.count];
  }
}
export class Unmade extends Honest { constructor(deps, params) { super(deps, params); throw new RangeError('no room'); } }
export class Deaf { pick() { return 0; } }
export class Stale extends Honest { pick() { return this.view.members[this.turn++ % (this.view.count + 1)]; } }
export class Tired extends Honest { pick(context) { return this.turn > 100 ? -1 : super.pick(context); } }
export class Insistent extends Honest { pick(context) { const slot = super.pick(context); return slot === -1 ? 0 : slot; } }
export class Meddler extends Honest {
  pick(context) {
    const slot = super.pick(context);
    if (slot !== -1) this.view.table.weight[slot] = 3;
    return slot;
  }
}
export class Grudge extends Honest {
  failures = [];
  pick(context) {
    let slot = super.pick(context);
    for (let i = 1; i < this.view.count && this.failures[slot] > 0; i++) slot = super.pick(context);
    return slot;
  }
  onEnd(slot, nowMs, latencyMs, outcome) { if (outcome !== 0) this.failures[slot] = 1; }
}
export class Muddled extends Honest { onEnd() { this.turn++; } }
let shared = 0;
export class Shared extends Honest { pick(context) { this.turn = shared++; return super.pick(context); } }
export class Watchful extends Honest { pick(context) { Date.now(); return super.pick(context); } }
export class Gambler extends Honest { pick(context) { this.turn = Math.floor(Math.random() * 1000); return super.pick(context); } }
export class Dreamer extends Honest { update(view) { super.update(view); setTimeout(() => {}, 0); } }
export class Wasteful extends Honest { pick(context) { this.last = { slot: super.pick(context) }; return this.last.slot; } }
export class Clumsy extends Honest { pick(context) { return this.view.count > 500 ? this.views.members[0] : super.pick(context); } }
export class Napper extends Honest { nextTimerMs() { return this.view === undefined ? Infinity : 0; } onTimer() {} }
export const arrow = (deps) => new Honest(deps, {});
export class Eager { retries = 1; on = ['error']; hostSelectionRetries = 0; delayMs() { return -1; } }
export class Hasty { retries = 1; on = ['error']; hostSelectionRetries = 0; delayMs() { return Math.random(); } }
`;
writeFileSync(join(folder, 'policies.mjs'), fixtures);
writeFileSync(
  join(folder, 'rollouts.mjs'),
  `export class Stubborn {
  phase = 'progressing'; reason = ''; minReadyMs = 0;
  start() {} command() {} step() { return []; } nextTimerMs() { return Infinity; } snapshot() { return null; } restore() {}
}
export class Bare { start() {} command() {} nextTimerMs() {} snapshot() {} restore() {} }`,
);
writeFileSync(join(folder, 'broken.mjs'), 'export class {');
writeFileSync(join(folder, 'my-balancer.ts'), policyTemplate);
writeFileSync(
  join(folder, 'no-detector.mjs'),
  `export class Silent {
  heartbeatEveryMs = 1000;
  watch() {} unwatch() {} onHeartbeat() {} onTimer() {} nextTimerMs() { return Infinity; }
}`,
);

const check = (use: string, options: CheckPolicyOptions = {}) =>
  checkPolicy(`${folder}/${use}`, { allowOutside: true, ...options });

/** The first thing that one check finds; the checks after it do not run. */
async function found(use: string, rule: string, options: CheckPolicyOptions = {}): Promise<string | undefined> {
  const request = await checkRequest(`${folder}/${use}`, { allowOutside: true, ...options });
  for await (const { name, violations } of policyChecks(request)) if (name === rule) return violations[0];
  return 'there is no such check';
}

const rules = {
  made: 'can be loaded and made, with pick() and update()',
  view: 'picks only endpoints of its view, whatever their number',
  thousand: 'handles a thousand endpoints',
  empty: 'answers an empty view with no endpoint, again and again',
  change: 'keeps to its view while endpoints come, go, fail and change weight with work in flight',
  late: 'credits nobody else with the late end of an endpoint that was removed',
  reuse: 'does not take a newcomer for the endpoint that lived in its slot before',
  repeat: 'repeats its picks for the same seed and history, also beside another instance',
  table: 'does not change the table',
  ambient: 'asks for no time, timer or random number but what it is given',
  world: 'repeats a simulated run to the bit',
  heap: 'allocates nothing in picks',
} as const;

describe('a good policy keeps all it owes:', () => {
  test.each(['policies.mjs#Honest', 'my-balancer.ts#MyBalancer'])('%s', async (use) => {
    const { role, checks } = await check(use);
    expect(role).toBe('balancer');
    expect(checks.filter(({ violations }) => violations.length > 0)).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.values(rules)));
  });

  test.each(['LEAST_REQUEST', 'heartbeat'])('%s', async (name) => {
    const { role, checks } = await checkPolicy(name);
    expect(role).toBe(name === 'heartbeat' ? 'detector' : 'balancer');
    expect(checks.length).toBeGreaterThan(10);
    expect(checks.flatMap(({ violations }) => violations)).toEqual([]);
  });
});

describe('every family is checked by its own rules, also in a simulated world:', () => {
  test.each([
    ['full-jitter', 'retry', 'waits a finite time that is not negative, whatever is drawn'],
    ['max-retries', 'budget', 'grants a retry exactly when its balance is not zero'],
    ['quantile', 'hedge', 'shares nothing with another policy'],
    ['hystrix', 'breaker', 'turns attempts away when all of them fail'],
    ['vegas', 'admission', 'admits again once an overload is over'],
    ['codel', 'queueing', 'runs every request of a short burst'],
    ['staged-waves', 'rollout', 'replaces a version by a good one, completely'],
    ['flagger', 'rollout', 'replaces a version by a good one, completely'],
    ['lease-election', 'election', 'follows a leader that is gone'],
  ] as const)('%s is a %s', async (name, role, rule) => {
    const report = await checkPolicy(name);
    expect(report.role).toBe(role);
    expect(report.checks.map((each) => each.name)).toEqual(expect.arrayContaining([rule, rules.ambient, rules.world]));
    expect(report.checks.flatMap(({ violations }) => violations)).toEqual([]);
  });

  test.each([
    ['etcd', 'store'],
    ['push-and-poll', 'propagation'],
  ] as const)('%s is a %s, in a world in which something is rolled out', async (name, role) => {
    const { scenario } = await checkRequest(name, { role });
    expect(scenario.changes).toHaveLength(2);
    expect(scenario.changes![0].kind).toBe(role === 'propagation' ? 'config' : 'release');
    const report = await checkPolicy(name, { role });
    expect(report.checks.flatMap(({ violations }) => violations)).toEqual([]);
  });

  test('a strategy of one’s own is asked in a world in which something is rolled out', async () => {
    const options = { role: 'rollout' } as const;
    const request = await checkRequest(`${folder}/rollouts.mjs#Stubborn`, { allowOutside: true, ...options });
    expect(request.scenario.changes?.map(({ kind, version }) => `${kind} ${version}`)).toEqual(['release v2', 'release v3']);
    const rule = 'replaces a version by a good one, completely';
    expect(await found('rollouts.mjs#Stubborn', rule, options)).toBeTypeOf('string');
    expect(
      await found(
        'rollouts.mjs#Bare',
        'can be loaded and made, with start(), command(), step(), nextTimerMs(), snapshot() and restore()',
        options,
      ),
    ).toMatch(/lacks step\(\)/);
  });

  test('an admission policy also at the instances, where asked for', async () => {
    const report = await checkPolicy('gradient2', { role: 'shedding' });
    expect(report.role).toBe('shedding');
    expect(report.checks.flatMap(({ violations }) => violations)).toEqual([]);
  });

  test('a name that several families have needs its role', async () => {
    const error = await checkPolicy('envoy').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).issues[0]).toMatchObject({
      message:
        '"envoy" is several things: health checker (healthCheck), outlier detector (outlier), retry policy (retry), retry budget (budget), circuit breaker (breaker)',
      hint: 'say which role: healthCheck, outlier, retry, budget, breaker',
    });
    expect((await checkRequest('envoy', { role: 'breaker' })).scenario.policies.breaker?.use).toBe('envoy');
  });

  test('a policy of one’s own in the role that it is said to have', async () => {
    const options = { role: 'retry' } as const;
    expect(await found('policies.mjs#Eager', 'waits a finite time that is not negative, whatever is drawn', options)).toMatch(
      /retry 1 waits -1 ms/,
    );
    expect(await found('policies.mjs#Hasty', rules.ambient, options)).toMatch(/called Math\.random/);
  });
});

describe('a broken policy fails the check that is about it:', () => {
  test.each([
    ['policies.mjs#Unmade', rules.made, /could not be made: no room/],
    ['policies.mjs#Deaf', rules.made, /lacks update\(\)/],
    ['policies.mjs#Nobody', rules.made, /has no policy named Nobody; it exports .*Honest/],
    ['broken.mjs#Broken', rules.made, /cannot be loaded: .*/],
    ['policies.mjs#Stale', rules.view, /which is not in the view|picked undefined/],
    ['policies.mjs#Tired', rules.view, /picked nobody out of \d+/],
    ['policies.mjs#Insistent', rules.empty, /picked 0 from an empty view/],
    ['policies.mjs#Clumsy', rules.thousand, /threw TypeError: .*policies\.mjs:\d+:\d+/],
    ['policies.mjs#Napper', rules.view, /asks to be woken again and again/],
    ['policies.mjs#Meddler', rules.table, /changed the endpoint table/],
    ['policies.mjs#Grudge', rules.reuse, /reuse of a slot changed pick/],
    ['policies.mjs#Muddled', rules.late, /the late end of a removed endpoint changed pick/],
    ['policies.mjs#Shared', rules.repeat, /two instances with the same seed and history changed pick/],
    ['policies.mjs#Shared', rules.world, /the same seed gave \w+ and then \w+/],
    ['policies.mjs#Gambler', rules.world, /the same seed gave/],
    ['policies.mjs#Gambler', rules.ambient, /called Math\.random.*draw from the injected rng/],
    ['policies.mjs#Watchful', rules.ambient, /called Date\.now.*use the time passed to each call/],
    ['policies.mjs#Dreamer', rules.ambient, /called setTimeout.*nextTimerMs\(\)/],
    ['policies.mjs#Wasteful', rules.heap, /100000 picks left \d+ bytes on the heap.*160000 are allowed/],
  ])('%s: %s', async (use, rule, violation) => {
    expect(await found(use, rule)).toMatch(violation);
  });

  test('and only that one, where the mistake is no other rule’s business', async () => {
    const { checks } = await check('policies.mjs#Dreamer');
    expect(checks.filter(({ violations }) => violations.length > 0).map(({ name }) => name)).toEqual([rules.ambient]);
  });

  test('a detector that never suspects anybody', async () => {
    const rule = 'suspects an endpoint that never sent a heartbeat';
    expect(await found('no-detector.mjs#Silent', rule, { role: 'detector' })).toBe('told [], expected [0 suspected]');
  });
});

describe('what is asked for', () => {
  test('may be a function instead of a class', async () => {
    expect(await found('policies.mjs#arrow', rules.view)).toBeUndefined();
  });

  test('may have other parameters than the defaults', async () => {
    expect(await found('policies.mjs#Honest', rules.view)).toBeUndefined();
    expect(await found('policies.mjs#Honest', rules.view, { params: ['step=0.5'] })).toMatch(
      /which is not in the view|picked undefined/,
    );
  });

  test.each([
    ['p3c', {}, 'unknown balancer "p3c"', 'did you mean "p2c"?'],
    ['./no-such-file.ts#Mine', {}, 'cannot read "./no-such-file.ts": no such file', 'relative to the current folder'],
    ['least-request', { params: ['choiceCount=1'] }, '1 is too small', 'at least 2'],
    ['p2c', { params: ['choices=1'] }, 'unknown parameter "choices" of p2c', 'p2c has no parameters'],
    [`${folder}/policies.mjs#Honest`, {}, 'lies outside the project folder', '--allow-outside'],
  ] as const)('is refused in words when it cannot be: %s %o', async (use, options, message, hint) => {
    const error = await checkPolicy(use, options).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InputError);
    const [issue] = (error as InputError).issues;
    expect(issue.message).toContain(message);
    expect(issue.message).not.toContain('--set');
    if (hint !== undefined) expect(issue.hint).toContain(hint);
  });
});

test('the heap shows one small object per pick, and not the numbers of a loop', () => {
  let last: unknown;
  const wasteful = (): void => {
    for (let i = 0; i < 100_000; i++) last = { i };
  };
  let sum = 0;
  const thrifty = (): void => {
    for (let i = 0; i < 100_000; i++) sum = (sum + i) | 0;
  };
  expect(heapGrowth(wasteful, 160_000)).toBeGreaterThan(1_600_000);
  expect(heapGrowth(thrifty, 160_000)).toBeLessThan(160_000);
  expect([last, sum]).toBeDefined();
});
