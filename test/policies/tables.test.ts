/** What every entry of a family's table must have. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaults, type Param } from '../../src/core/params.ts';
import { nodeAutoscalers } from '../../src/policies/autoscaling/nodes/index.ts';
import { verticalRecommenders } from '../../src/policies/autoscaling/vertical/index.ts';
import * as balancing from '../../src/policies/balancing/index.ts';
import { families, familyFolders } from '../../src/policies/index.ts';

const folder = resolve(import.meta.dirname, '../../src/policies');
/** Tables of policies that no scenario names. */
const others = { nodes: nodeAutoscalers, vertical: verticalRecommenders };
const folders: Readonly<Record<string, string>> = {
  ...familyFolders,
  nodes: 'autoscaling/nodes',
  vertical: 'autoscaling/vertical',
};
const entries = Object.entries({ ...families, ...others }).flatMap(([family, table]) =>
  Object.entries<(typeof table)[string]>(table).map(([name, definition]) => ({ family, name, definition })),
);
const camelCase = (name: string): string => name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());

function expectDescribed(parameter: string, spec: Param, value: unknown): void {
  expect(parameter).toMatch(/^[a-z][A-Za-z0-9]*$/);
  expect(spec.about).toMatch(/^\S.+\.$/s);
  if (spec.type === 'set') expect(spec.choices).toEqual(expect.arrayContaining([...spec.default]));
  if (spec.type === 'records' || spec.type === 'policies') expect(spec.default.length).toBeGreaterThanOrEqual(spec.atLeast);
  if (spec.type === 'policies') expect(Object.keys(spec.table())).toEqual(expect.arrayContaining([...spec.default]));
  if (spec.type === 'records') {
    expect(Object.keys(spec.fields)).toEqual(expect.arrayContaining([...spec.required]));
    for (const [field, inner] of Object.entries(spec.fields)) {
      expectDescribed(field, inner, inner.default);
      for (const record of spec.default) expectDescribed(field, inner, record[field]);
    }
  }
  const { min, max } = spec as { readonly min?: number; readonly max?: number };
  if (min !== undefined) expect(value).toBeGreaterThanOrEqual(min);
  if (max !== undefined) expect(value).toBeLessThanOrEqual(max);
}

describe.each(entries)('$family/$name', ({ family, name, definition }) => {
  it('is listed under its own name and family, and has a file of that name', () => {
    expect(definition.name).toBe(name);
    expect(definition.family).toBe(family);
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(existsSync(resolve(folder, folders[family], `${name}.ts`))).toBe(true);
  });

  it('says in sentences what it is, when to use it, and when it fails', () => {
    for (const text of [definition.summary, definition.useWhen, definition.failsWhen])
      expect(text).toMatch(/^(gRPC|[A-Z]).+\.$/s);
    expect(definition.cost).toMatch(/\S/);
  });

  it('describes its parameters, whose defaults keep their own bounds', () => {
    for (const [parameter, spec] of Object.entries<Param>(definition.params))
      expectDescribed(parameter, spec, defaults(definition.params)[parameter]);
  });
});

describe('balancers', () => {
  it('are exported under their names in camel case', () => {
    for (const [name, definition] of Object.entries(balancing.balancers)) {
      expect((balancing as Record<string, unknown>)[camelCase(name)]).toBe(definition);
    }
  });

  it('answer to the names of the systems they come from', () => {
    const nameOf = (name: string): string => {
      const resolution = balancing.resolveBalancer(name);
      return resolution.kind === 'found' ? resolution.policy.name : resolution.kind;
    };
    const expected: Readonly<Record<string, string>> = {
      LEAST_REQUEST: 'least-request',
      ROUND_ROBIN: 'round-robin',
      least_conn: 'least-connections',
      leastconn: 'least-connections',
      wlc: 'least-connections',
      sed: 'shortest-expected-delay',
      nq: 'never-queue',
      wrr: 'interleaved-weighted-round-robin',
      roundrobin: 'fast-weighted-round-robin',
      'static-rr': 'static-weighted-round-robin',
      ip_hash: 'source-ip-hash',
      RING_HASH: 'ring-hash',
      weighted_round_robin: 'weighted-round-robin',
      'gRPC/weighted_round_robin': 'client-side-weighted-round-robin',
      client_side_weighted_round_robin: 'client-side-weighted-round-robin',
      peak_ewma: 'peak-ewma',
      least_time: 'least-time',
      jiq: 'join-idle-queue',
    };
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, nameOf(name)]))).toEqual(expected);
    expect(balancing.resolveBalancer('ring-hahs')).toEqual({ kind: 'unknown', suggestion: 'ring-hash' });
  });
});
