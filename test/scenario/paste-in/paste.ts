/** Scenarios whose balancer stands in a configuration file of another system. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PolicyUse } from '../../../src/scenario/spec.ts';
import { issuesOf, scenarioOf, scenarioText, type Files } from '../fixture.ts';

/** The realistic files beside this one. */
export const realFiles: Files = Object.fromEntries(
  readdirSync(import.meta.dirname)
    .filter((name) => /\.(yaml|json)$/.test(name))
    .map((name) => [name, readFileSync(join(import.meta.dirname, name), 'utf8')]),
);

export const withBalancer = (balancer: string): string => scenarioText({ rest: `policies:\n  balancer: ${balancer}\n` });

/** What the scenario then runs: the policy with the parameters that differ from their defaults, or all where they are asked for. */
export async function pasted(balancer: string, files: Files = realFiles): Promise<PolicyUse> {
  return (await scenarioOf(withBalancer(balancer), { files })).policies.balancer;
}

/** All complaints, one line each, in the order in which they are printed. */
export async function complaints(balancer: string, files: Files = realFiles): Promise<readonly string[]> {
  return (await issuesOf(withBalancer(balancer), { files })).map(
    ({ place, severity, message, hint }) =>
      `${place?.file}:${place?.line}:${place?.column} ${severity}: ${message}${hint === undefined ? '' : `; ${hint}`}`,
  );
}
