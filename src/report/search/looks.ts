/** Colours of what was found about a setting, from the palette of all charts. */
import type { Part } from '../charts/spec.ts';

const ends: Readonly<Record<string, string>> = {
  meets: '#0072B2',
  fails: '#D55E00',
  undecided: '#8a929a',
  winner: '#009E73',
  finalist: '#0072B2',
  open: '#56B4E9',
  worse: '#E69F00',
  breaks: '#D55E00',
  dropped: '#b6bcc3',
};

export const decisionColor = (domain: readonly string[], field = 'decision'): Part => ({
  field,
  type: 'nominal',
  title: null,
  scale: { domain, range: domain.map((each) => ends[each] ?? '#3d3d3d') },
});
