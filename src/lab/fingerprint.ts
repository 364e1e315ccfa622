/** What a world is, as hashes: two results may be compared pair by pair only if nothing but the policies differs. Policies are left out,
 *  so that changing one keeps the fingerprint. */
import { createHash } from 'node:crypto';
import { exactJson } from '../core/exact-json.ts';
import type { Scenario, VariantSpec } from '../scenario/spec.ts';

export const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

/** Sections of a scenario, in the words of the file. */
export const worldSections = ['run', 'services', 'traffic', 'network', 'faults'] as const;
export type WorldFingerprint = Readonly<Record<(typeof worldSections)[number], string>>;

export function worldFingerprint(scenario: Scenario, variant: VariantSpec): WorldFingerprint {
  const { run, services, queues, classes, edges, traffic, network, faults } = variant.scenario ?? scenario;
  const short = (value: unknown): string => sha256(exactJson(value)).slice(0, 12);
  return {
    run: short([run.durationMs, run.warmupMs]),
    services: short([services.map(withoutPolicies), queues]),
    traffic: short([traffic, edges.map(withoutPolicies), classes]),
    network: short(network),
    faults: short(faults),
  };
}

const withoutPolicies = (part: { readonly policies: unknown }): object => ({ ...part, policies: undefined });
