/** How complaints are printed. */
import { describe, expect, test } from 'vitest';
import { formatIssues, issuesToJson } from '../../src/cli/issues.ts';
import type { Issue } from '../../src/core/issue.ts';

const text = 'run:\n  duration: 60sec\nclsuter:\n  x: 1\n';
const unit: Issue = {
  severity: 'error',
  code: 'bad-duration',
  path: ['run', 'duration'],
  message: '"60sec" is not a duration',
  hint: 'write 60s',
  place: { file: 'slow.yaml', line: 2, column: 13, length: 5 },
};
const typo: Issue = {
  severity: 'error',
  code: 'unknown-key',
  path: [],
  message: 'unknown key "clsuter"',
  hint: 'did you mean "cluster"?',
  place: { file: 'slow.yaml', line: 3, column: 1, length: 7 },
};
const print = (issues: readonly Issue[], { source = text, width = 130, color = false } = {}): string =>
  `\n${formatIssues(issues, new Map([['slow.yaml', source]]), { color, width })}`;

test('place, path, sentence, advice; the line before, the line, and what is meant underlined', () => {
  expect(print([unit, typo])).toBe(`
slow.yaml:2:13  error  run.duration: "60sec" is not a duration; write 60s
  1 | run:
> 2 |   duration: 60sec
    |             ^^^^^
slow.yaml:3:1  error  unknown key "clsuter" (did you mean "cluster"?)
  2 |   duration: 60sec
> 3 | clsuter:
    | ^^^^^^^
2 errors. Nothing was run.
`);
});

test('advice too long for the line goes below', () => {
  expect(print([unit], { width: 60 })).toBe(`
slow.yaml:2:13  error  run.duration: "60sec" is not a duration
  1 | run:
> 2 |   duration: 60sec
    |             ^^^^^
  hint: write 60s
1 error. Nothing was run.
`);
});

test('warnings do not stop a run', () => {
  expect(print([{ ...unit, severity: 'warning' }])).toMatch(
    /^\nslow\.yaml:2:13 {2}warning {2}run.duration: .*\n(.*\n){3}1 warning\.\n$/,
  );
  expect(print([unit, { ...typo, severity: 'warning' }])).toMatch(/\n1 error, 1 warning\. Nothing was run\.\n$/);
});

test('nothing to say is nothing', () => {
  expect(formatIssues([], {}, { color: false })).toBe('');
});

test('what has no place, or stands in a text that is not known, is shown without lines', () => {
  const { place: _, ...placeless } = unit;
  expect(print([placeless])).toBe('\nerror  run.duration: "60sec" is not a duration; write 60s\n1 error. Nothing was run.\n');
  expect(formatIssues([unit], {}, { color: false })).toBe(
    'slow.yaml:2:13  error  run.duration: "60sec" is not a duration; write 60s\n1 error. Nothing was run.\n',
  );
});

test('of very many the first fifty are shown', () => {
  const lines = print(Array.from({ length: 80 }, () => typo)).split('\n');
  expect(lines.filter((line) => line.startsWith('slow.yaml'))).toHaveLength(50);
  expect(lines.slice(-3)).toEqual(['... and 30 more', '80 errors. Nothing was run.', '']);
});

test('carets stay under wide characters, tabs and a byte order mark', () => {
  const source = '\uFEFFname: 日本語\tx 60sec\r\n';
  const at = source.slice(1).indexOf('60sec');
  const printed = print([{ ...unit, place: { file: 'slow.yaml', line: 1, column: at + 1, length: 5 } }], { source });
  expect(printed.split('\n').slice(2, 4)).toEqual(['> 1 | name: 日本語 x 60sec', '    |                ^^^^^']);
});

test('a long line is cut around what is meant', () => {
  const source = `${'x'.repeat(500)}60sec${'y'.repeat(500)}`;
  const [, , line, carets] = print([{ ...unit, place: { file: 'slow.yaml', line: 1, column: 501, length: 5 } }], {
    source,
    width: 60,
  }).split('\n');
  expect(line.length).toBeLessThanOrEqual(60);
  expect(line.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('60sec');
});

test('nothing in a user’s text steers the terminal', () => {
  const evil = 'na\u001b[31mme: \u202eabc\u0007\u009b2J';
  const printed = print(
    [
      {
        ...unit,
        message: `unknown ${evil}`,
        hint: `use ${evil}`,
        path: [evil],
        place: { file: `${evil}.yaml`, line: 1, column: 1, length: 4 },
      },
    ],
    { source: evil },
  );
  // oxlint-disable-next-line no-control-regex
  expect(printed).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  expect(printed).toContain('\\u{1b}[31m');
});

test('colour is only added where it is wanted', () => {
  expect(print([unit], { color: true })).toContain('\u001b[31merror\u001b[39m');
  expect(print([unit])).not.toContain('\u001b');
});

describe('for tools', () => {
  test('all of them, with ranges that end behind the last character', () => {
    const { place: _, hint: __, ...bare } = typo;
    expect(issuesToJson([unit, { ...bare, severity: 'warning' }])).toEqual({
      valid: false,
      errorCount: 1,
      warningCount: 1,
      diagnostics: [
        {
          severity: 'error',
          code: 'bad-duration',
          summary: '"60sec" is not a duration',
          detail: 'write 60s',
          path: 'run.duration',
          file: 'slow.yaml',
          range: { start: { line: 2, column: 13 }, end: { line: 2, column: 18 } },
        },
        {
          severity: 'warning',
          code: 'unknown-key',
          summary: 'unknown key "clsuter"',
          detail: '',
          path: '',
          file: null,
          range: null,
        },
      ],
    });
  });

  test('warnings alone are valid', () => {
    expect(issuesToJson([{ ...unit, severity: 'warning' }])).toMatchObject({ valid: true, errorCount: 0, warningCount: 1 });
    expect(issuesToJson([])).toEqual({ valid: true, errorCount: 0, warningCount: 0, diagnostics: [] });
  });
});
