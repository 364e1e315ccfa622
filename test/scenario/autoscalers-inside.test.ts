/** Autoscalers inside of autoscalers, as scenario files write them: what the README shows, and what is refused where. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { autoscalers } from '../../src/policies/autoscaling/index.ts';
import { Complaints } from '../../src/scenario/complaints.ts';
import type { Env } from '../../src/scenario/distributions.ts';
import { parseText } from '../../src/scenario/document.ts';
import { toPlain } from '../../src/scenario/node.ts';
import { compileParams, isMakeable } from '../../src/scenario/policy-params.ts';
import { Source } from '../../src/scenario/source.ts';
import { dataFiles } from './fixture.ts';

/** The parameters of the policy that a text in YAML writes, and the complaints about it. */
function read(text: string): { readonly params: unknown; readonly complaints: readonly string[] } {
  const source = new Source('test.yaml', text);
  const { root } = parseText(source);
  const complaints = new Complaints(source, root!);
  const env: Env = { complaints, data: dataFiles(), traces: new Map(), recordings: new Map() };
  const { use, ...written } = toPlain(root!) as { use: string };
  const params = compileParams(autoscalers[use], written, [], { durationMs: 60_000, env });
  if (params !== undefined) isMakeable(autoscalers[use], params, written, [], env);
  return { params, complaints: complaints.all.map(({ place, message }) => `${place?.column} ${message}`) };
}

test('the example of the README can be made', () => {
  const readme = readFileSync(resolve(import.meta.dirname, '../../src/policies/README.md'), 'utf8');
  const example = /`(\{ use: max-of.*?\})`/s.exec(readme)![1];
  const { params, complaints } = read(example);
  expect(complaints).toEqual([]);
  expect(params).toMatchObject({
    of: [
      { use: 'hpa', params: { max: 10 } },
      { use: 'scheduled', params: { schedule: [{ cron: '0 8 * * 1-5', timeZone: 'UTC', replicas: -1, min: 6, max: -1 }] } },
    ],
  });
});

test('a prediction names its reactive policies, by their names elsewhere too', () => {
  const { params, complaints } = read(
    '{ use: predictive, forecast: ewma, reactive: [{ use: TargetTrackingScaling, targetValue: 0.6 }] }',
  );
  expect(complaints).toEqual([]);
  expect(params).toMatchObject({ reactive: [{ use: 'target-tracking', params: { targetValue: 0.6, lowMargin: 0.1 } }] });
});

test('mistakes inside are found', () => {
  expect(read("{ use: scheduled, schedule: [{ cron: 'at noon', replicas: 3 }] }").complaints).toEqual([
    expect.stringContaining('"at noon" is not a cron expression'),
  ]);
  expect(read('{ use: max-of, of: [{ use: scheduled, schedule: [{ replicas: 3 }] }] }').complaints).toEqual([
    expect.stringContaining('cron'),
  ]);
  expect(read('{ use: min-of, of: [] }').complaints).toEqual([expect.stringContaining('must not be empty')]);
  expect(read('{ use: step-scaling, scaleInSteps: [{ from: 0.1, adjustment: -1 }] }').complaints).toHaveLength(1);
});
