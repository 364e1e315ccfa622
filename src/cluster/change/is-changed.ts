/** Whether anything is rolled out to a service, or something of that kind. */
import type { Scenario } from '../../scenario/spec.ts';
import type { RolloutKind } from '../../stats/result.ts';

export const isChanged = ({ changes = [] }: Pick<Scenario, 'changes'>, service: number, kind?: RolloutKind): boolean =>
  changes.some((change) => change.service === service && (kind === undefined || change.kind === kind));
