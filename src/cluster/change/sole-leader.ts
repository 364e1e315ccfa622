/** The elector of a controller that nobody competes with: it has always led. */
import type { Elector } from '../../policies/rollout/elections/elector.ts';

export const soleLeader: Elector = {
  isLeader: true,
  token: 1,
  start: () => undefined,
  stop: () => undefined,
  onAnswer: () => undefined,
  nextTimerMs: () => Infinity,
  onTimer: () => undefined,
};
