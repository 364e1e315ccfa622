/** What a cell passes on to the simulator, and whom it blames. The simulator is a stand-in that asks the retry policy for one wait. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { simulate } from '../../src/cluster/index.ts';
import { PolicyFault } from '../../src/core/errors.ts';
import { type Cell, CellRunner } from '../../src/lab/cell.ts';
import type { PolicyMakers } from '../../src/scenario/makers.ts';
import type { PolicyUse, Scenario } from '../../src/scenario/spec.ts';
import { cellResult, outline } from './results.ts';

vi.mock('../../src/cluster/index.ts', () => ({ simulate: vi.fn() }));

type WorldInput = Parameters<typeof simulate>[0];
let seen: WorldInput[] = [];
beforeEach(() => {
  seen = [];
  vi.mocked(simulate).mockImplementation((input) => {
    seen.push(input);
    const makers: unknown = input.makers;
    for (const { retry } of (makers as PolicyMakers).edges)
      retry?.({ rng: { next: () => 0, uint32: () => 0, below: () => 0 } }).delayMs(1, 0);
    return cellResult(input.variant, input.seed);
  });
});

const plain: PolicyUse = { use: 'round-robin', params: {} };
const own = (file: string, exportName: string): PolicyUse => ({
  use: `./${file}#${exportName}`,
  module: { path: new URL(`./fixtures/${file}`, import.meta.url).pathname, exportName },
  params: {},
});

describe('a cell', () => {
  const run = async (cell: Partial<Cell>): Promise<WorldInput> => {
    await new CellRunner(outline()).run({ variant: 0, seed: 'a', ...cell });
    return seen[0];
  };

  test('asks for waterfalls and decisions only when told to', async () => {
    expect(await run({})).not.toHaveProperty('waterfall');
    seen = [];
    expect(await run({ waterfall: 3, explain: 2 })).toMatchObject({ waterfall: 3, explain: 2 });
  });

  test('changes the load of its world for itself alone', async () => {
    const scenario = outline();
    const runner = new CellRunner(scenario);
    await runner.run({ variant: 0, seed: 'a', loadStep: { atMs: 40_000, factor: 0.25 } });
    await runner.run({ variant: 0, seed: 'a' });
    expect([...seen[0].scenario.traffic[0].profile.factors]).toEqual([1, 1, 0.25]);
    expect(seen[1].scenario).toBe(scenario);
  });

  test('runs in the world of its variant', async () => {
    const { variants: _, ...other } = outline({ durationMs: 7000 });
    const scenario = outline({ variants: ['a', { label: 'b', scenario: other }] });
    await new CellRunner(scenario).run({ variant: 1, seed: 'a', loadStep: { atMs: 5000, factor: 0.5 } });
    expect(seen[0].scenario.run.durationMs).toBe(7000);
    expect([...seen[0].scenario.traffic[0].profile.factors]).toEqual([1, 1, 0.5]);
  });
});

describe('a fault of a policy of one’s own', () => {
  const faultOf = async (scenario: Scenario): Promise<PolicyFault> => {
    const fault = await new CellRunner(scenario).run({ variant: 0, seed: 'a' }).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(PolicyFault);
    return fault as PolicyFault;
  };
  const withRetry = (use: PolicyUse): Scenario =>
    outline({ variants: [{ label: 'mine', policies: { balancer: plain, retry: use } }] });

  test('is blamed on the policy whose file it comes from, whatever its role', async () => {
    const fault = await faultOf(withRetry(own('retries.ts', 'Broken')));
    expect(fault.policy).toBe('./retries.ts#Broken');
    expect(fault.message).toMatch(
      /^\.\/retries\.ts#Broken threw RangeError: no wait is right \(variant mine, seed a\)\n.*retries\.ts:\d+/,
    );
  });

  test('is also found on an edge, beside another of one’s own', async () => {
    const scenario = outline({
      variants: [{ label: 'mine', policies: { balancer: own('balancers.ts', 'InTurn') } }],
      edges: [{ policies: { retry: own('retries.ts', 'Broken') } }],
    });
    expect((await faultOf(scenario)).policy).toBe('./retries.ts#Broken');
  });

  test('names the ambient source that it used', async () => {
    const fault = await faultOf(withRetry(own('retries.ts', 'Gambler')));
    expect(fault.message).toMatch(
      /^\.\/retries\.ts#Gambler called Math\.random.*draw from the injected rng \(variant mine, seed a\)/,
    );
  });

  test('is not taken for one when it comes from elsewhere', async () => {
    vi.mocked(simulate).mockImplementation(() => {
      throw new TypeError('ours');
    });
    await expect(new CellRunner(withRetry(own('retries.ts', 'Gambler'))).run({ variant: 0, seed: 'a' })).rejects.toThrow(
      new TypeError('ours'),
    );
  });
});
