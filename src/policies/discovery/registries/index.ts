/** Every registry by name. */
import { consulRegistry } from './consul.ts';
import { etcdRegistry } from './etcd.ts';
import { eurekaRegistry } from './eureka.ts';
import type { RegistryDefinition } from './registry.ts';

export { checkRegistry } from './contract.ts';
export { EtcdRegistry } from './etcd.ts';
export * from './registry.ts';
export { consulRegistry, etcdRegistry, eurekaRegistry };

export const registries: Readonly<Record<string, RegistryDefinition>> = {
  consul: consulRegistry,
  etcd: etcdRegistry,
  eureka: eurekaRegistry,
};
