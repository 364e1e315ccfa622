/** Every restart policy by name. */
import { kubeletRestart } from './kubelet.ts';
import { neverRestart } from './never.ts';
import { nomadRestart } from './nomad.ts';
import type { RestartDefinition } from './restart-policy.ts';
import { systemdRestart } from './systemd.ts';

export { checkRestartPolicy } from './contract.ts';
export * from './restart-policy.ts';
export { kubeletRestart, neverRestart, nomadRestart, systemdRestart };

export const restartPolicies: Readonly<Record<string, RestartDefinition>> = {
  kubelet: kubeletRestart,
  systemd: systemdRestart,
  nomad: nomadRestart,
  never: neverRestart,
};
