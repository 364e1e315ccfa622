/** The JSON Schema of scenario files, for completion and hover texts in editors. Draft-07 is what they understand. The policies and
 *  their parameters come from the same tables that check them. */
import * as z from 'zod';
import type { Param, ParamSpecs } from '../core/params.ts';
import { durationPattern } from './fields.ts';
import { formats } from './paste-in/paste-in.ts';
import { formatDefault, roles } from './policy-use.ts';
import { wholeFile } from './shape.ts';

type Json = Readonly<Record<string, unknown>>;

/** Keys in alphabetical order at every level, so that its text changes only with its meaning. */
export function scenarioSchema(): object {
  const schema = z.toJSONSchema(wholeFile, { io: 'input', target: 'draft-07', unrepresentable: 'any' }) as Json;
  const definitions = {
    ...(schema.definitions as Json),
    balancer: policySchema(roles.balancer.table, 'A balancer, by name or with parameters.', [], formats),
    detector: policySchema(roles.detector.table, 'A failure detector, by name or with parameters; none for none.', ['none']),
  } as Record<string, unknown>;
  delete definitions.policy;
  const properties = { ...(schema.properties as Record<string, Json>) };
  properties.policies = {
    ...properties.policies,
    properties: { balancer: roleOf(properties.policies, 'balancer'), detector: roleOf(properties.policies, 'detector') },
  };
  properties.compare = {
    ...properties.compare,
    properties: Object.fromEntries(
      Object.keys(roles).map((role) => [role, { type: 'array', minItems: 1, items: reference(role) }]),
    ),
    minProperties: 1,
  };
  return sorted({ ...schema, title: 'clusterlab scenario', properties, definitions }) as object;
}

/** A reference has no room for a description of its own in draft-07, so it is wrapped. */
const roleOf = (policies: Json, role: string): Json => ({
  description: (policies.properties as Record<string, Json>)[role].description,
  allOf: [reference(role)],
});
const reference = (name: string): Json => ({ $ref: `#/definitions/${name}` });

interface Described {
  readonly name: string;
  readonly summary: string;
  readonly useWhen: string;
  readonly failsWhen: string;
  readonly params: ParamSpecs;
}

function policySchema(
  table: Readonly<Record<string, unknown>>,
  description: string,
  others: readonly string[],
  pasted: typeof formats = {},
): Json {
  const policies = Object.values(table) as Described[];
  const names = [...policies.map(({ name }) => name), ...others];
  const label = { type: 'string', minLength: 1, maxLength: 64, description: 'Its name in results.' };
  return {
    description,
    anyOf: [
      { enum: names },
      // Names of other systems, and modules of one's own.
      { type: 'string' },
      ...policies.map((policy) => ({
        title: policy.name,
        description: `${policy.summary}\n\nUse when: ${policy.useWhen}\n\nFails when: ${policy.failsWhen}`,
        type: 'object',
        properties: {
          use: { const: policy.name },
          label,
          ...Object.fromEntries(Object.entries(policy.params).map(([name, param]) => [name, paramSchema(param)])),
        },
        required: ['use'],
        additionalProperties: false,
      })),
      ...Object.entries(pasted).map(([key, { selector, noun, about }]) => ({
        title: key,
        description: about,
        type: 'object',
        properties: {
          [key]: { type: 'string', description: about },
          [selector]: { type: 'string', description: `Which ${noun} of the file, if it has several.` },
          label,
        },
        required: [key],
        additionalProperties: false,
      })),
      {
        title: 'another name, or a module of your own',
        type: 'object',
        properties: { use: { type: 'string', not: { enum: policies.map(({ name }) => name) } }, label },
        required: ['use'],
      },
    ],
  };
}

function paramSchema(param: Param): Json {
  const description = param.official === undefined ? param.about : `${param.about} (${param.official})`;
  const shown = {
    description,
    default: param.type === 'duration' || param.type === 'fraction' ? formatDefault(param) : param.default,
  };
  switch (param.type) {
    case 'int':
      return { ...shown, type: 'integer', ...range(param) };
    case 'number':
      return { ...shown, type: 'number', ...range(param) };
    case 'duration':
      return { ...shown, type: 'string', pattern: durationPattern };
    case 'fraction':
      return {
        ...shown,
        anyOf: [
          { type: 'string', pattern: '^\\d+(\\.\\d+)?%$' },
          { type: 'number', ...range({ min: 0, max: 1, ...param }) },
        ],
      };
    case 'choice':
      return { ...shown, enum: param.choices };
    case 'boolean':
      return { ...shown, type: 'boolean' };
    case 'string':
      return { ...shown, type: 'string' };
  }
}

const range = ({
  min,
  max,
  exclusiveMin,
}: {
  readonly min?: number;
  readonly max?: number;
  readonly exclusiveMin?: boolean;
}): Json => ({
  ...(min === undefined ? {} : exclusiveMin === true ? { exclusiveMinimum: min } : { minimum: min }),
  ...(max === undefined ? {} : { maximum: max }),
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, sorted(each)]));
}
