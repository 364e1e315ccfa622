/** A gate's report as JUnit XML, which every CI system shows: a suite per scenario, a case per check and variant; what is not decided is
 *  skipped, which is neither passed nor failed. Format: the common denominator of the Jenkins, GitLab and Surefire schemas. No times: a
 *  result must not depend on the machine. */
import type { GateReport } from '../../gate/report.ts';
import { type Finding, findingsOf } from './findings.ts';

export function gateJUnit(report: GateReport): string {
  const all = findingsOf(report);
  const suites = report.scenarios.map((scenario) => {
    const own = all.filter((each) => each.scenario === scenario.name);
    const properties = [
      ['seeds', String(scenario.seeds)],
      ['baseline', report.baseline],
      ['replay', scenario.replay],
    ].filter(([, value]) => value !== '');
    return [
      `  <testsuite name="${xml(scenario.name)}" tests="${own.length}" failures="${count(own, 'bad')}" errors="0" skipped="${count(own, 'open')}" file="${xml(scenario.file)}">`,
      '    <properties>',
      ...properties.map(([name, value]) => `      <property name="${name}" value="${xml(value!)}"/>`),
      '    </properties>',
      ...own.flatMap(caseLines),
      '  </testsuite>',
    ].join('\n');
  });
  const head = `<testsuites name="clusterlab" tests="${all.length}" failures="${count(all, 'bad')}" errors="0" skipped="${count(all, 'open')}">`;
  return ['<?xml version="1.0" encoding="UTF-8"?>', head, ...suites, '</testsuites>', ''].join('\n');
}

const count = (findings: readonly Finding[], outcome: Finding['outcome']): number =>
  findings.filter((each) => each.outcome === outcome).length;

function caseLines(each: Finding): string[] {
  const open = `    <testcase classname="${xml(each.scenario)}" name="${xml(`${each.check} (${each.variant})`)}" file="${xml(each.file)}" line="${each.line}"`;
  const message = `${each.variant}: ${each.text}`;
  const body = xml(`${each.file}:${each.line}:${each.column} ${each.check}\n${message}\nAgain: ${each.replay}`);
  switch (each.outcome) {
    case 'bad':
      return [`${open}>`, `      <failure message="${xml(message)}" type="${each.kind}">${body}</failure>`, '    </testcase>'];
    case 'open':
      return [`${open}>`, `      <skipped message="${xml(`inconclusive: ${message}`)}"/>`, '    </testcase>'];
    case 'warning':
      return [`${open}>`, `      <system-err>${xml(`warning: ${message}`)}</system-err>`, '    </testcase>'];
    case 'good':
      return [`${open}/>`];
  }
}

/** For text and attribute values; characters that XML 1.0 cannot hold are left out. */
const xml = (text: string): string =>
  text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replace(/[&<>"'\n\r\t]/g, (character) => `&#${character.charCodeAt(0)};`);
