import { describe, expect, it } from 'vitest';
import { resolvePolicy } from '../../src/core/policy-table.ts';

const named = (name: string, ...aliases: [system: string, name: string][]) => ({
  name,
  aliases: aliases.map(([system, alias]) => ({ system, name: alias })),
});
const table = {
  'least-request': named('least-request', ['Istio', 'LEAST_CONN'], ['Envoy', 'least_request']),
  'least-connections': named('least-connections', ['nginx', 'least_conn']),
  weighted: named('weighted', ['A', 'shared']),
  client: named('client', ['gRPC', 'weighted'], ['B', 'shared']),
};
const nameOf = (name: string) => {
  const resolution = resolvePolicy(table, name);
  return resolution.kind === 'found' ? resolution.policy.name : resolution;
};

describe('a policy’s name', () => {
  it('is found in its canonical form and in the usual spellings of it', () => {
    for (const name of ['least-request', 'least_request', 'LEAST_REQUEST']) expect(nameOf(name)).toBe('least-request');
  });

  it('may be an alias, told apart by its exact spelling first', () => {
    expect(nameOf('LEAST_CONN')).toBe('least-request');
    expect(nameOf('least_conn')).toBe('least-connections');
    expect(nameOf('Least-Conn')).toEqual({ kind: 'ambiguous', names: ['least-request', 'least-connections'] });
  });

  it('wins over an alias of another policy, which can still be reached by its system', () => {
    expect(nameOf('weighted')).toBe('weighted');
    expect(nameOf('gRPC/weighted')).toBe('client');
    expect(nameOf('grpc/WEIGHTED')).toBe('client');
  });

  it('is not accepted bare where several policies have the alias', () => {
    expect(nameOf('shared')).toEqual({ kind: 'ambiguous', names: ['weighted', 'client'] });
    expect(nameOf('b/shared')).toBe('client');
  });

  it('is answered with a suggestion if it is unknown', () => {
    expect(nameOf('least-reqest')).toEqual({ kind: 'unknown', suggestion: 'least-request' });
    expect(nameOf('toString')).toEqual({ kind: 'unknown' });
  });
});
