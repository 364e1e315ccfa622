/** A checked tree of sections to a scenario: each section by itself, so that all complaints come at once. */
import { compileFaults } from './faults.ts';
import type { Env } from './distributions.ts';
import { compileNetwork } from './network.ts';
import { compileUse } from './policy-use.ts';
import { compileRun, type SeedOptions } from './run.ts';
import { compileServices, zonesOf, type KnownService } from './services.ts';
import { policies as policiesShape, topLevel } from './shape.ts';
import type { PolicyChoice, Scenario, ServiceSpec } from './spec.ts';
import { compileTraffic } from './traffic.ts';

/** Everything but what needs the variants. */
export type World = Omit<Scenario, 'variants' | 'expect'>;

/** The world, or undefined after complaints; what could be understood of the policies and the duration is there in any case, for the
 *  sections that follow. */
export async function compileWorld(
  env: Env,
  options: SeedOptions,
): Promise<{ world?: World; policies?: PolicyChoice; durationMs: number }> {
  const { complaints } = env;
  const head = complaints.check(topLevel, []);
  const run = compileRun(complaints, options);
  // Without a duration, whatever compares with it is left unsaid.
  const durationMs = run?.durationMs ?? Infinity;
  const services = await compileServices(env);
  const traffic = await compileTraffic(services, durationMs, env);
  const zones = [...zonesOf(services ?? []), ...traffic.flatMap(({ balancerZones }) => balancerZones)];
  const network = await compileNetwork([...new Set(zones)], env);
  const faults = await compileFaults(services, durationMs, env);
  const policies = await compilePolicies(durationMs, env);
  if (
    complaints.hasErrors ||
    head === undefined ||
    run === undefined ||
    services === undefined ||
    network === undefined ||
    policies === undefined
  ) {
    return { durationMs, ...(policies === undefined ? {} : { policies }) };
  }
  const { name, about = '', demonstrates = '' } = head;
  return {
    world: { name, about, demonstrates, run, services: specsOf(services), network, traffic, faults, policies },
    policies,
    durationMs,
  };
}

const specsOf = (services: readonly KnownService[]): ServiceSpec[] =>
  services.flatMap(({ spec }) => (spec === undefined ? [] : [spec]));

async function compilePolicies(durationMs: number, env: Env): Promise<PolicyChoice | undefined> {
  const shape = env.complaints.has(['policies']) ? env.complaints.check(policiesShape, ['policies']) : {};
  if (shape === undefined) return undefined;
  const balancer = await compileUse('balancer', shape.balancer ?? 'round-robin', ['policies', 'balancer'], durationMs, env);
  const detector = await compileUse('detector', shape.detector ?? 'none', ['policies', 'detector'], durationMs, env);
  if (balancer?.use === undefined || detector === undefined) return undefined;
  return { balancer: balancer.use, ...(detector.use === undefined ? {} : { detector: detector.use }) };
}
