/** The reporters of a gate by name. Each is a pure function of the report. */
import type { GateReport } from '../../gate/report.ts';
import { serializePlain } from '../json.ts';
import { gateBenchmark } from './benchmark.ts';
import { gateAnnotations } from './github.ts';
import { gateJUnit } from './junit.ts';
import { gateMarkdown } from './markdown.ts';
import { gateText } from './text.ts';

export interface GateReporter {
  readonly about: string;
  /** Name of its file when several go into a folder. */
  readonly file: string;
  render(report: GateReport, look: { readonly unicode: boolean; readonly quiet?: boolean }): string;
}

export const gateReporters: Readonly<Record<string, GateReporter>> = {
  default: { about: 'for people', file: 'gate.txt', render: gateText },
  json: { about: 'everything, for programs', file: 'gate.json', render: (report) => serializePlain(report) },
  junit: { about: 'JUnit XML, which every CI system shows', file: 'junit.xml', render: (report) => gateJUnit(report) },
  github: {
    about: 'annotations on the lines of the scenario, and the job summary',
    file: 'annotations.txt',
    render: (report) => gateAnnotations(report),
  },
  markdown: { about: 'a comment for a pull request', file: 'gate.md', render: (report) => gateMarkdown(report) },
  ghbench: {
    about: 'numbers for github-action-benchmark (customSmallerIsBetter)',
    file: 'benchmark.json',
    render: (report) => gateBenchmark(report),
  },
};
