/** `availability.csv`: availability against its objective, a row per variant; medians over seeds. */
import type { RunFile } from '../lab/types.ts';
import { csv } from './csv.ts';

export const availabilityCsv = ({ scenario, variants }: RunFile): string =>
  csv(
    ['scenario', 'variant', 'objective', 'minutes', 'error_minutes', 'budget_spent'],
    variants.map(({ label, availability: { objective, minutes, errorMinutes, budgetSpent } }) => [
      scenario.name,
      label,
      objective,
      minutes,
      errorMinutes,
      budgetSpent,
    ]),
  );
