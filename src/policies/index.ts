/** The policies, by family. */
import { balancers } from './balancing/index.ts';
import { detectors } from './detection/index.ts';

export * from './balancing/index.ts';
export * from './detection/index.ts';

export const families = { balancing: balancers, detection: detectors } as const;
export type Family = keyof typeof families;
