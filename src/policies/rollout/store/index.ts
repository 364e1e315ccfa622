/** Every store by name, and what makes their locks safe. */
import type { StoreDefinition } from './config-store.ts';
import { consulStore } from './consul.ts';
import { etcdStore } from './etcd.ts';

export * from './config-store.ts';
export { ConsulStore } from './consul.ts';
export { checkStore } from './contract.ts';
export { EtcdStore } from './etcd.ts';
export * from './fenced-target.ts';
export * from './store-request.ts';
export { consulStore, etcdStore };

export const stores: Readonly<Record<string, StoreDefinition>> = { etcd: etcdStore, consul: consulStore };
