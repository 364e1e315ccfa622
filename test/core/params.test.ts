/** Values of parameters from their descriptions: what is not given has its default, in lists too. */
import { expect, expectTypeOf, test } from 'vitest';
import {
  choice,
  complete,
  defaults,
  duration,
  fraction,
  int,
  type InnerPolicy,
  type ParamValues,
  policies,
  type PolicyParamTable,
  records,
  string,
} from '../../src/core/params.ts';
import { definePolicy } from '../../src/core/policy.ts';

const family: Record<string, PolicyParamTable[string]> = {};
const specs = {
  min: int({ default: 1, about: 'Fewest.' }),
  metrics: records({
    about: 'What is looked at.',
    fields: {
      type: choice({ default: 'Resource', choices: ['Resource', 'Pods'], about: 'Kind.' }),
      name: string({ default: '', about: 'Name.' }),
      averageUtilization: fraction({ default: 0, about: 'Target.' }),
    },
    required: ['name'],
    default: [{ name: 'cpu', averageUtilization: 0.8 }],
  }),
  of: policies({ about: 'Those inside.', table: () => family, default: ['step'] }),
};
family.step = {
  name: 'step',
  aliases: [],
  params: { warmUp: duration({ default: 60_000, about: 'Time.' }), min: int({ default: 1, about: 'Fewest.' }) },
};

test('types of values follow from the description, those of records field by field', () => {
  type Values = ParamValues<typeof specs>;
  expectTypeOf<Values['min']>().toEqualTypeOf<number>();
  expectTypeOf<Values['metrics'][number]['type']>().toEqualTypeOf<'Resource' | 'Pods'>();
  expectTypeOf<Values['metrics'][number]['averageUtilization']>().toEqualTypeOf<number>();
  expectTypeOf<Values['of']>().toEqualTypeOf<readonly InnerPolicy[]>();
});

test('defaults are complete: of records their fields, of policies their parameters', () => {
  expect(defaults(specs)).toEqual({
    min: 1,
    metrics: [{ type: 'Resource', name: 'cpu', averageUtilization: 0.8 }],
    of: [{ use: 'step', params: { warmUp: 60_000, min: 1 } }],
  });
});

test('what is given stays, what is missing inside is filled in', () => {
  expect(complete(specs, { metrics: [{ name: 'memory' }], of: [{ use: 'step', params: { min: 3 } }, { use: 'step' }] })).toEqual({
    min: 1,
    metrics: [{ type: 'Resource', name: 'memory', averageUtilization: 0 }],
    of: [
      { use: 'step', params: { warmUp: 60_000, min: 3 } },
      { use: 'step', params: { warmUp: 60_000, min: 1 } },
    ],
  });
});

test('values are plain data: a structured clone equals them', () => {
  const values = complete(specs, { min: 2 });
  expect(structuredClone(values)).toEqual(values);
});

test('a policy is made from settings with gaps and gets values without', () => {
  const policy = definePolicy({
    ...{ family: 'test', name: 'test', summary: '', useWhen: '', failsWhen: '', cost: '', sources: [], aliases: [] },
    params: specs,
    create: (params: ParamValues<typeof specs>, _deps: object) => params,
  });
  expect(policy.make({ min: 4, metrics: [{ name: 'x', type: 'Pods' }], of: [] }, {})).toEqual({
    min: 4,
    metrics: [{ type: 'Pods', name: 'x', averageUtilization: 0 }],
    of: [],
  });
});
