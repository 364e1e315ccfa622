/** One adapter per kind of `detection.json`. */
import { type Adapters } from '../vector-file.ts';
import { admissionAdapters } from './detection-admission.ts';
import { breakersAdapters } from './detection-breakers.ts';
import { checksAdapters } from './detection-checks.ts';
import { detectorsAdapters } from './detection-detectors.ts';
import { discoveryAdapters } from './detection-discovery.ts';
import { metastableAdapters } from './detection-metastable.ts';
import { outliersAdapters } from './detection-outliers.ts';
import { metastableRunAdapters } from './metastable-runs.ts';
import { retriesAdapters } from './detection-retries.ts';
import { storeAdapters } from './detection-store.ts';
import { swimAdapters } from './detection-swim.ts';

export const detectionAdapters: Adapters = {
  ...discoveryAdapters,
  ...retriesAdapters,
  ...breakersAdapters,
  ...admissionAdapters,
  ...metastableAdapters,
  ...checksAdapters,
  ...outliersAdapters,
  ...swimAdapters,
  ...detectorsAdapters,
  ...metastableRunAdapters,
  ...storeAdapters,
};
