/** No restarts: a process that ended stays down until a fault's end, or somebody else, brings it back.
 *
 *  The yardstick, and what a bare process on a machine does. */
import { defineRestartPolicy } from './restart-policy.ts';

export const neverRestart = defineRestartPolicy({
  name: 'never',
  summary: 'Leaves what ended as it is.',
  useWhen: 'As a yardstick, or where another controller replaces what failed.',
  failsWhen: 'Nothing else brings instances back: capacity only ever shrinks.',
  cost: 'nothing',
  sources: [],
  aliases: [{ system: 'Docker', name: 'no' }],
  params: {},
  create: () => ({ restartAtMs: () => Infinity, onRestarted: () => {}, forget: () => {} }),
});
