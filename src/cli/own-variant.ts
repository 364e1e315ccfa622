/** `run` simulates one variant: the policies that the scenario itself names. A file that only compares balancers names none; then the
 *  first entry of the comparison, its baseline, stands in, and the user is told. */
import { parse } from 'yaml';
import type { Scenario } from '../scenario/spec.ts';

interface Loaded {
  readonly scenario: Scenario;
  readonly text: string;
}

export function ownVariant({ scenario, text }: Loaded, overrides: readonly string[], tell: (text: string) => void): Scenario {
  const [first, ...others] = scenario.variants;
  if (first === undefined || others.length === 0) return scenario;
  if (comparesBalancers(text) && !namesBalancer(text, overrides)) {
    tell(
      `run takes one variant: "${first.label}", the first of ${scenario.variants.length}; clusterlab compare takes them all\n`,
    );
    return { ...scenario, variants: [first] };
  }
  const { policies } = scenario;
  return { ...scenario, variants: [{ label: policies.balancer.use, differs: '', policies }] };
}

/** The text has been checked before, so it parses. */
const comparesBalancers = (text: string): boolean => has(parse(text), 'compare', 'balancer');

const namesBalancer = (text: string, overrides: readonly string[]): boolean =>
  has(parse(text), 'policies', 'balancer') || overrides.some((each) => /^policies(\.balancer\b|=)/.test(each));

function has(value: unknown, ...path: readonly string[]): boolean {
  const [key, ...rest] = path;
  if (key === undefined) return value !== undefined && value !== null;
  return typeof value === 'object' && value !== null && key in value && has((value as Record<string, unknown>)[key], ...rest);
}
