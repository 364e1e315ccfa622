/** Labels that nodes have, under Kubernetes' names. */
import type { Labels } from './scheduler.ts';

export const REGION_LABEL = 'topology.kubernetes.io/region';
export const ZONE_LABEL = 'topology.kubernetes.io/zone';
export const HOSTNAME_LABEL = 'kubernetes.io/hostname';
const GROUP_LABEL = 'clusterlab/group';

export const nodeLabels = (group: string, zone: string, host: string): Labels => ({
  [ZONE_LABEL]: zone,
  [HOSTNAME_LABEL]: host,
  [GROUP_LABEL]: group,
});
