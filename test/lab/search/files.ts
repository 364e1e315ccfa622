/** Scenario files for searches. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type CapacityInput, findCapacity } from '../../../src/lab/search/capacity.ts';
import { parseDimension } from '../../../src/lab/search/dimension.ts';
import { parseGoal } from '../../../src/lab/search/goal.ts';
import { tune, type TuneInput } from '../../../src/lab/search/tune.ts';
import type { CapacityFile, TuneFile } from '../../../src/lab/search/types.ts';

const folder = mkdtempSync(join(tmpdir(), 'search-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One instance with a shared queue; Poisson arrivals of 7.5 Erlangs. */
export const sharedQueue = `scenario: 1
name: shared-queue
run: { duration: 3m, warmup: 20s, seeds: 4, seed: shared }
services:
  api: { instances: 1, slots: 10, queue: unlimited, work: { type: exponential, mean: 50ms }, price: 0.1 }
traffic:
  - { to: api, arrivals: { type: poisson, rate: 150/s }, balancers: 1 }
`;

export function fileOf(text: string): string {
  const file = join(folder, 'scenario.yaml');
  writeFileSync(file, text);
  return file;
}

type Common = Pick<CapacityInput, 'load' | 'overrides' | 'choose' | 'jobs' | 'confidence' | 'replay'>;
const common: Common = {
  load: {},
  overrides: [],
  choose: ({ scenario }) => scenario.variants[0],
  jobs: 0,
  confidence: 0.95,
  replay: 'clusterlab',
};

interface CapacityAsked extends Partial<Omit<CapacityInput, 'file' | 'slo' | 'dimensions'>> {
  readonly slo: string | readonly string[];
  readonly vary: string | readonly string[];
}

export const capacityOf = (text: string, { slo, vary, ...rest }: CapacityAsked): Promise<CapacityFile> =>
  findCapacity({
    ...common,
    maxSeeds: 16,
    ...rest,
    file: fileOf(text),
    slo: [slo].flat(),
    dimensions: [vary].flat().map((each) => parseDimension(each, '--vary')),
  });

interface TuneAsked extends Partial<Omit<TuneInput, 'file' | 'goal' | 'dimensions'>> {
  readonly goal: string;
  readonly param: string | readonly string[];
}

export const tuneOf = (text: string, { goal, param, ...rest }: TuneAsked): Promise<TuneFile> =>
  tune({
    ...common,
    budget: 100,
    ...rest,
    file: fileOf(text),
    goal: parseGoal(goal),
    dimensions: [param].flat().map((each) => parseDimension(each, '--param')),
  });
