/** Every discovery client and every registry by name. */
import { dnsDiscovery } from './dns.ts';
import { dnsGrpcDiscovery } from './dns-grpc.ts';
import { dnsJvmDiscovery } from './dns-jvm.ts';
import type { DiscoveryClientDefinition } from './discovery-client.ts';
import { fileDiscovery } from './file.ts';
import { registryPollDiscovery } from './registry-poll.ts';
import { registryWatchDiscovery } from './registry-watch.ts';
import { staticDiscovery } from './static.ts';
import { xdsDiscovery } from './xds.ts';

export { checkDiscoveryClient } from './contract.ts';
export * from './discovery-client.ts';
export * from './parts/staleness.ts';
export * from './registries/index.ts';
export {
  dnsDiscovery,
  dnsGrpcDiscovery,
  dnsJvmDiscovery,
  fileDiscovery,
  registryPollDiscovery,
  registryWatchDiscovery,
  staticDiscovery,
  xdsDiscovery,
};

export const discoveryClients: Readonly<Record<string, DiscoveryClientDefinition>> = {
  static: staticDiscovery,
  file: fileDiscovery,
  dns: dnsDiscovery,
  'dns-jvm': dnsJvmDiscovery,
  'dns-grpc': dnsGrpcDiscovery,
  'registry-poll': registryPollDiscovery,
  'registry-watch': registryWatchDiscovery,
  xds: xdsDiscovery,
};
