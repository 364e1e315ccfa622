/** Policies as written: names, parameters, and modules of one's own. */
import { describe, expect, test } from 'vitest';
import { heartbeat } from '../../src/policies/detection/index.ts';
import { briefly, scenarioOf, scenarioText, type Options } from './fixture.ts';

const text = (policies: string): string => scenarioText({ rest: `policies: ${policies}` });
const policiesOf = async (policies: string, options?: Options) => (await scenarioOf(text(policies), options)).policies;
const complaintsAbout = async (policies: string, options?: Options): Promise<string[]> =>
  (await briefly(text(policies), options)).map((line) => line.replace(/^\S+ /, ''));

test('a bare name stands for the policy with its defaults', async () => {
  expect(await policiesOf('{ detector: heartbeat, balancer: random }')).toEqual({
    balancer: { use: 'random', params: {} },
    detector: { use: 'heartbeat', params: { every: heartbeat.params.every.default, misses: heartbeat.params.misses.default } },
  });
});

test('parameters are numbers in one unit', async () => {
  const { detector } = await policiesOf('{ detector: { use: heartbeat, every: 2s, misses: 5 } }');
  expect(detector).toEqual({ use: 'heartbeat', params: { every: 2000, misses: 5 } });
});

test('names of other systems become ours', async () => {
  expect((await policiesOf('{ detector: DeadlineFailureDetector, balancer: ROUND_ROBIN }')).detector?.use).toBe('heartbeat');
  expect((await policiesOf('{ balancer: ROUND_ROBIN }')).balancer.use).toBe('round-robin');
});

test('none is no detector', async () => {
  expect(await policiesOf('{ detector: none }')).not.toHaveProperty('detector');
});

test('an unknown name gets all names, the nearest first', async () => {
  const [complaint] = await complaintsAbout('{ balancer: round-robbin }');
  expect(complaint).toMatch(/^error: unknown balancer "round-robbin"; did you mean "round-robin"\? Known: round-robin, /);
  expect(complaint).toContain('p2c');
});

test.each([
  [
    '{ detector: { use: heartbeat, evry: 1s } }',
    'error: unknown parameter "evry" of heartbeat; did you mean "every"? heartbeat knows every (1s), misses (3)',
  ],
  ['{ detector: { use: heartbeat, every: 10 } }', 'error: 10 has no unit; write 10ms or 10s'],
  ['{ detector: { use: heartbeat, misses: 0 } }', 'error: 0 is too small; it must be at least 1'],
  ['{ detector: { use: heartbeat, misses: 1.5 } }', 'error: expected a whole number, found 1.5'],
  ['{ detector: { use: heartbeat, misses: [1] } }', 'error: expected a whole number, found a list'],
  ['{ detector: { use: none, every: 1s } }', 'error: none takes no every'],
  ['{ detector: { every: 1s } }', 'error: missing key "use"; expected a text'],
  ['{ balancer: { use: random, label: "" } }', 'error: "" is not a label: one line of text, not empty'],
  ['{ balancer: 3 }', 'error: expected a text, found 3; put it in quotes'],
  ['{ blancer: random }', 'error: unknown key "blancer"; did you mean "balancer"?'],
  ['{ detector: { use: heartbeat, every: 2m } }', 'warning: heartbeat’s every of 2m is longer than the run, 1m'],
])('%s', async (policies, complaint) => {
  expect(await complaintsAbout(policies)).toEqual([complaint]);
});

describe('a policy of one’s own', () => {
  const files = { 'mine.ts': '', '../policies/theirs.ts': '', 'outside/theirs.ts': '' };

  test('is a module and an export; its parameters pass as they are, durations in milliseconds', async () => {
    const { balancer } = await policiesOf('{ balancer: { use: ./mine.ts#My, decay: 10s, size: 3, mode: fast, on: true } }', {
      files,
    });
    expect(balancer).toEqual({
      use: './mine.ts#My',
      module: { path: 'mine.ts', exportName: 'My' },
      params: { decay: 10_000, size: 3, mode: 'fast', on: true },
    });
  });

  test('may be in a package', async () => {
    const { balancer } = await policiesOf('{ balancer: known/balancers#Best }', { files });
    expect(balancer.module).toEqual({ path: '/packages/known/balancers.js', exportName: 'Best' });
  });

  test.each([
    ['./mine.ts', 'error: "./mine.ts" does not name a module and its export; write ./my-balancer.ts#MyBalancer'],
    ['./mine.ts#', 'error: "./mine.ts#" does not name a module and its export; write ./my-balancer.ts#MyBalancer'],
    ['./mine.ts#a-b', 'error: "./mine.ts#a-b" does not name a module and its export; write ./my-balancer.ts#MyBalancer'],
    ['./nowhere.ts#My', 'error: cannot read "./nowhere.ts": no such file; paths are relative to the scenario file'],
    [
      './outside/theirs.ts#My',
      'error: "./outside/theirs.ts" lies outside the project folder; a policy is code that will run; --allow-outside permits it',
    ],
    ['unknown-package#My', 'error: cannot find the package "unknown-package"; a file starts with ./'],
    ['https://example.org/x.js#My', 'error: expected a file or a package, found an address'],
    ['"node:fs#readFileSync"', 'error: expected a file or a package, found an address'],
  ])('%s is refused', async (use, complaint) => {
    expect(await complaintsAbout(`{ balancer: ${use} }`, { files })).toEqual([complaint]);
  });

  test('takes lists of texts only', async () => {
    expect(await complaintsAbout('{ balancer: { use: ./mine.ts#My, sizes: [1, 2] } }', { files })).toEqual([
      'error: expected a number, a text, true or false or a list of texts, found a list',
    ]);
  });
});

test.each([
  ['{ use: maglev, tableSize: 65536 }', 'tableSize 65536 is not a prime number'],
  ['{ use: ring-hash, minimumRingSize: 2000, maximumRingSize: 1000 }', 'minimumRingSize 2000 is above maximumRingSize 1000'],
  ['{ use: locality-weighted, weights: "1, x" }', 'weights: "x" is not a number from 0'],
])('what only the policy can check is checked with the rest: %s', async (balancer, message) => {
  expect(await complaintsAbout(`{ balancer: ${balancer} }`)).toEqual([expect.stringContaining(message)]);
});
