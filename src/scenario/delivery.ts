/** `delivery:` to how decisions of roll-outs are made and reach the cluster. */
import { compileDistribution, type Env } from './distributions.ts';
import { delivery } from './shape-changes.ts';
import type { DeliverySpec } from './spec.ts';

/** Undefined after complaints. */
export async function compileDelivery(env: Env): Promise<DeliverySpec | undefined> {
  const { complaints } = env;
  const shape = complaints.has(['delivery']) ? complaints.check(delivery, ['delivery']) : delivery.parse({});
  const latency = shape && (await compileDistribution(shape.latency, ['delivery', 'latency'], env));
  if (shape === undefined || latency === undefined) return undefined;
  const { router, controllers, fencing, loss, distributors, pushesPerSecond, ackTimeout } = shape;
  return {
    ...{ hasRouter: router, controllers, isFenced: fencing, latency, loss, distributors, pushesPerSecond },
    ackTimeoutMs: ackTimeout,
  };
}
