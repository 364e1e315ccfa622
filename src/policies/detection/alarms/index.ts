/** Every alarm by name. */
import type { AlarmDefinition } from './alarm.ts';
import { cusum } from './cusum.ts';
import { ewma } from './ewma.ts';
import { robustZScore } from './robust-z-score.ts';
import { threshold } from './threshold.ts';
import { zScore } from './z-score.ts';

export * from './alarm.ts';
export { checkAlarm } from './contract.ts';
export { cusum, ewma, robustZScore, threshold, zScore };

export const alarms: Readonly<Record<string, AlarmDefinition>> = {
  threshold,
  'z-score': zScore,
  'robust-z-score': robustZScore,
  ewma,
  cusum,
};
