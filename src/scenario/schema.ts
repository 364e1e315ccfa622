/** The JSON Schema of scenario files, for completion and hover texts in editors. Draft-07 is what they understand. The policies and
 *  their parameters come from the same tables that check them. */
import * as z from 'zod';
import type { Param, PoliciesParam, RecordsParam } from '../core/params.ts';
import { durationPattern } from './fields.ts';
import { formatDefault } from './param-text.ts';
import { formatsFor } from './paste-in/paste-in.ts';
import { type Definition, isRole, roleNames, roleOf, roles } from './roles.ts';
import { wholeFile } from './shape.ts';

type Json = Readonly<Record<string, unknown>>;

/** As it stands in the repository: what fits into a line stands in one. */
export const scenarioSchemaText = (): string => `${written(scenarioSchema(), '')}\n`;

const lineWidth = 130;
function written(value: unknown, indent: string): string {
  const line = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || indent.length + line.length <= lineWidth) return line;
  const inner = `${indent} `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const items = Array.isArray(value)
    ? value.map((item) => written(item, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${written(item, inner)}`);
  return `${open}\n${items.map((item) => inner + item).join(',\n')}\n${indent}${close}`;
}

/** Keys in alphabetical order at every level, so that its text changes only with its meaning. */
export function scenarioSchema(): object {
  const schema = z.toJSONSchema(wholeFile, { io: 'input', target: 'draft-07', unrepresentable: 'any' }) as Json;
  const described = Object.fromEntries(
    Object.entries(roles).map(([role, { noun, table, mayBeNone }]) => {
      // Two roles of one family share its list.
      const twin = roleNames.find((other) => roles[other].table === table)!;
      if (twin !== role) return [role, reference(twin)];
      const about = `${/^[aeiou]/.test(noun) ? 'An' : 'A'} ${noun}, by name or with parameters${mayBeNone ? '; none for none' : ''}.`;
      return [role, policySchema(table, about, mayBeNone ? ['none'] : [], formatsFor(role))];
    }),
  );
  const definitions = withSharedParams({ ...(schema.definitions as Json), ...described });
  const properties = { ...(schema.properties as Record<string, Json>) };
  properties.compare = {
    ...properties.compare,
    properties: {
      ...Object.fromEntries(roleNames.map((role) => [role, { type: 'array', minItems: 1, items: reference(role) }])),
      load: {
        type: 'array',
        minItems: 1,
        description: 'Factors on the rates of all streams, on the number of users, on the speed of recordings.',
        examples: [['50%', '80%', '110%']],
      },
    },
    minProperties: 1,
  };
  return sorted({ ...schema, title: 'clusterlab scenario', properties, definitions }) as object;
}

const reference = (name: string): Json => ({ $ref: `#/definitions/${name}` });

function policySchema(
  table: Readonly<Record<string, Definition>>,
  description: string,
  others: readonly string[],
  pasted: ReturnType<typeof formatsFor>,
): Json {
  const policies = Object.values(table);
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
  const shown = { description, default: writtenDefault(param) };
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
    case 'set':
      return { ...shown, type: 'array', items: { enum: param.choices }, uniqueItems: true };
    case 'boolean':
      return { ...shown, type: 'boolean' };
    case 'string':
      return { ...shown, type: param.mayBeNumber === true ? ['string', 'number'] : 'string' };
    case 'records':
      return { ...shown, type: 'array', items: recordSchema(param), ...(param.atLeast === 0 ? {} : { minItems: param.atLeast }) };
    case 'policies':
      return { ...shown, type: 'array', items: familySchema(param), ...(param.atLeast === 0 ? {} : { minItems: param.atLeast }) };
  }
}

function writtenDefault(param: Param): unknown {
  if (param.type !== 'records')
    return param.type === 'duration' || param.type === 'fraction' ? formatDefault(param) : param.default;
  const fields = Object.entries(param.fields);
  return param.default.map((record) =>
    Object.fromEntries(fields.map(([name, field]) => [name, writtenDefault({ ...field, default: record[name] } as Param)])),
  );
}

const recordSchema = ({ fields, required }: RecordsParam): Json => ({
  type: 'object',
  properties: Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, paramSchema(field)])),
  ...(required.length === 0 ? {} : { required }),
  additionalProperties: false,
});

/** As the role that the family fills. */
function familySchema({ table }: PoliciesParam): Json {
  const role = roleOf(table());
  if (role !== undefined) return reference(role);
  const names = Object.values(table()).map(({ name }) => name);
  const map = { type: 'object', properties: { use: { type: 'string', examples: names } }, required: ['use'] };
  return { anyOf: [{ type: 'string', examples: names }, map] };
}

/** Parameters that several policies have alike stand once. */
function withSharedParams(definitions: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const names = new Map<string, string>();
  const uses = new Map<string, number>();
  const eachParam = (visit: (name: string, param: Json) => unknown): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(definitions).map(([role, definition]) => [
        role,
        isRole(role) ? withParams(definition as Json, visit) : definition,
      ]),
    );
  eachParam((_, param) => uses.set(JSON.stringify(param), (uses.get(JSON.stringify(param)) ?? 0) + 1));
  const taken = new Set(Object.keys(definitions));
  const shared: Record<string, Json> = {};
  const referring = eachParam((name, param) => {
    const text = JSON.stringify(param);
    if (uses.get(text) === 1 || Object.keys(param).length < 3) return param;
    let known = names.get(text);
    if (known === undefined) {
      known = `param-${name}`;
      for (let number = 2; taken.has(known); number++) known = `param-${name}-${number}`;
      taken.add(known);
      names.set(text, known);
      shared[known] = param;
    }
    return reference(known);
  });
  return { ...referring, ...shared };
}

function withParams(definition: Json, visit: (name: string, param: Json) => unknown): Json {
  if (!Array.isArray(definition.anyOf)) return definition;
  const anyOf = (definition.anyOf as Json[]).map((option) =>
    option.properties === undefined
      ? option
      : {
          ...option,
          properties: Object.fromEntries(
            Object.entries(option.properties as Record<string, Json>).map(([name, param]) => [name, visit(name, param)]),
          ),
        },
  );
  return { ...definition, anyOf };
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
