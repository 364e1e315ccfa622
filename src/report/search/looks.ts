/** Colours of what was found about a setting, from the palette of all charts. */
import type { Part } from '../charts/spec.ts';

const colors: Readonly<Record<string, string>> = {
  meets: '#0072B2',
  fails: '#D55E00',
  undecided: '#8a929a',
  winner: '#009E73',
  finalist: '#0072B2',
  'not shown worse': '#56B4E9',
  'fell behind': '#a9b0b7',
  'shown worse': '#E69F00',
  'breaks a promise': '#D55E00',
};

export const colorOf = (field: string, domain: readonly string[]): Part => ({
  field,
  type: 'nominal',
  title: null,
  scale: { domain, range: domain.map((each) => colors[each]) },
});
