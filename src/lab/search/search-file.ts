/** What the result files of searches have in common: which scenario, and what was searched. */
import type { LoadedScenario } from '../../scenario/load.ts';
import { type Dimension, rangeText } from './dimension.ts';
import type { CapacityFile, SearchedDimension } from './types.ts';

/** `file`: of which only the last part is kept. */
export const searchedScenario = (base: LoadedScenario, file: string, variant: string): CapacityFile['scenario'] => ({
  name: base.scenario.name,
  about: base.scenario.about,
  file: file.split(/[\\/]/).at(-1)!,
  text: base.text,
  sha256: base.sha256,
  variant,
});

export const searchedDimensions = (dimensions: readonly Dimension[]): SearchedDimension[] =>
  dimensions.map((dimension) => ({
    path: dimension.path,
    range: rangeText(dimension),
    unit: dimension.kind === 'range' ? dimension.unit : '',
    isLog: dimension.kind === 'range' && dimension.isLog,
  }));
