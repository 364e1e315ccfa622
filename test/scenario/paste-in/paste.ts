/** Scenarios whose balancer stands in a configuration file of another system. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PolicyUse } from '../../../src/scenario/spec.ts';
import { briefly, load, scenarioText, type Files } from '../fixture.ts';

/** The realistic files beside this one. */
export const realFiles: Files = Object.fromEntries(
  readdirSync(import.meta.dirname)
    .filter((name) => /\.(yaml|json)$/.test(name))
    .map((name) => [name, readFileSync(join(import.meta.dirname, name), 'utf8')]),
);

export const withBalancer = (balancer: string): string => scenarioText({ rest: `policies:\n  balancer: ${balancer}\n` });

/** What the scenario then runs. */
export async function pasted(balancer: string, files: Files = realFiles): Promise<PolicyUse> {
  return (await load(withBalancer(balancer), { files })).scenario.policies.balancer;
}

/** All complaints with their file, one line each. */
export async function complaints(balancer: string, files: Files = realFiles): Promise<readonly string[]> {
  return briefly(withBalancer(balancer), { files });
}

/** A cluster in a file of its own. */
export const cluster = (lines: string): { readonly balancer: string; readonly files: Files } => ({
  balancer: '{ fromEnvoy: cluster.yaml }',
  files: { 'cluster.yaml': `name: api\n${lines}\n`, 'x.yaml': '' },
});
