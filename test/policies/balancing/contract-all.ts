/** Every balancer of the table against the contract, in thirds that can run side by side. */
import { balancers } from '../../../src/policies/balancing/index.ts';
import { balancerContract } from '../../contracts/balancer.contract.ts';

/** Smaller tables than in production: they are made anew at every change. */
const parameters: Readonly<Record<string, object>> = { maglev: { tableSize: 251 }, 'ring-hash': { minimumRingSize: 64 } };

export function checkEveryOther(first: number): void {
  for (const definition of Object.values(balancers).filter((_, i) => i % 3 === first)) {
    balancerContract({ name: definition.name, make: (rng) => definition.make(parameters[definition.name] ?? {}, { rng }) });
  }
}
