/** Complaints about input, for people and for tools. For people: place, sentence, and the lines of the file with what is meant
 *  underlined. Texts of users are shown as they are, except that nothing in them can steer the terminal. */
import pc from 'picocolors';
import stringWidth from 'string-width';
import { formatPath, type Issue } from '../core/issue.ts';

export interface IssueLook {
  readonly color: boolean;
  /** Columns; longer source lines are cut around what is underlined. */
  readonly width?: number;
}

/** Text of each file by its name in the issues. */
export type Texts = ReadonlyMap<string, string> | Readonly<Record<string, string>>;

const maxShown = 50;

/** Ends with a count, and a newline. Empty when there is nothing to say. */
export function formatIssues(issues: readonly Issue[], texts: Texts, { color, width = 130 }: IssueLook): string {
  if (issues.length === 0) return '';
  const paint = pc.createColors(color);
  const shown = issues.slice(0, maxShown);
  const lines = shown.flatMap((issue) => formatIssue(issue, texts, paint, width));
  if (issues.length > maxShown) lines.push(`... and ${issues.length - maxShown} more`);
  return `${[...lines, summary(issues)].join('\n')}\n`;
}

type Paint = ReturnType<typeof pc.createColors>;

function formatIssue(issue: Issue, texts: Texts, paint: Paint, width: number): string[] {
  const { severity, place, hint } = issue;
  const [first, ...more] = withPath(issue).split('\n').map(visible);
  const where = place === undefined ? '' : `${visible(`${place.file}:${place.line}:${place.column}`)}  `;
  const label = severity === 'error' ? paint.red('error') : paint.yellow('warning');
  const inline = hint === undefined ? '' : visible(hint.endsWith('?') ? ` (${hint})` : `; ${hint}`);
  const fits =
    hint !== undefined &&
    !hint.includes('\n') &&
    more.length === 0 &&
    stringWidth(`${where}${severity}  ${first}${inline}`) <= width;
  const below = hint === undefined || fits ? [] : hintLines(hint, paint);
  return [
    `${where}${label}  ${paint.bold(first + (fits ? inline : ''))}`,
    ...more.map((line) => `  ${line}`),
    ...frame(issue, texts, paint, width),
    ...below,
  ];
}

function withPath({ path, message }: Issue): string {
  const where = formatPath(path);
  return where === '' ? message : `${where}: ${message}`;
}

function hintLines(hint: string, paint: Paint): string[] {
  const [first, ...more] = hint.split('\n').map(visible);
  return [`  ${paint.cyan('hint:')} ${first}`, ...more.map((line) => `    ${line}`)];
}

/** The line before, the line itself, and a line of carets. */
function frame({ place }: Issue, texts: Texts, paint: Paint, width: number): string[] {
  const text = place === undefined ? undefined : textOf(texts, place.file);
  if (place === undefined || text === undefined) return [];
  const lines = text.replace(/^\uFEFF/, '').split('\n', place.line);
  const line = (lines[place.line - 1] ?? '').replace(/\r$/, '');
  if (line === '' && place.line > 1) return [];
  const gutter = String(place.line).length;
  const room = Math.max(20, width - gutter - 5);
  // A line too long for the window is cut so that what is underlined is seen, with a third of the room before it.
  const isCut = line.length > room;
  const from = isCut && place.column > room / 2 ? Math.min(place.column - 1 - Math.floor(room / 3), line.length - room) : 0;
  const start = place.column - 1;
  const before = visible(line.slice(from, start));
  const marked = visible(line.slice(start, start + place.length));
  const after = visible(line.slice(start + place.length, from + room));
  const shownMark = clip(marked, Math.max(1, room - stringWidth(before)));
  const previous = place.line > 1 ? (lines[place.line - 2] ?? '').replace(/\r$/, '') : undefined;
  return [
    ...(previous === undefined
      ? []
      : [
          paint.dim(
            `  ${String(place.line - 1).padStart(gutter)} | ${clip(visible(previous.slice(from, from + room)), room)}`.trimEnd(),
          ),
        ]),
    `> ${place.line} | ${clip(before + marked + after, room)}`.trimEnd(),
    `  ${' '.repeat(gutter)} | ${' '.repeat(stringWidth(before))}${paint.red('^'.repeat(Math.max(1, stringWidth(shownMark))))}`,
  ];
}

const textOf = (texts: Texts, file: string): string | undefined =>
  texts instanceof Map ? (texts as ReadonlyMap<string, string>).get(file) : (texts as Readonly<Record<string, string>>)[file];

const clip = (text: string, width: number): string => (text.length > width ? text.slice(0, width) : text);

/** Control characters, and those that change the direction of writing, as escapes. A tab is one blank, so that carets stay in line. */
function visible(text: string): string {
  return text
    .replaceAll('\t', ' ')
    .replace(
      /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu,
      (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
    );
}

function summary(issues: readonly Issue[]): string {
  const errors = issues.filter(({ severity }) => severity === 'error').length;
  const warnings = issues.length - errors;
  const parts = [errors > 0 ? plural(errors, 'error') : '', warnings > 0 ? plural(warnings, 'warning') : ''].filter(
    (part) => part !== '',
  );
  return `${parts.join(', ')}.${errors > 0 ? ' Nothing was run.' : ''}`;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

export interface Position {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}
export interface Diagnostic {
  readonly severity: Issue['severity'];
  readonly code: string;
  readonly summary: string;
  /** What to write instead; empty when we cannot tell. */
  readonly detail: string;
  readonly path: string;
  readonly file: string | null;
  /** `end` is behind the last character. */
  readonly range: { readonly start: Position; readonly end: Position } | null;
}

/** For `validate --json`: all of them, in the shape of `terraform validate -json`. */
export function issuesToJson(issues: readonly Issue[]): {
  readonly valid: boolean;
  readonly errorCount: number;
  readonly warningCount: number;
  readonly diagnostics: readonly Diagnostic[];
} {
  const errorCount = issues.filter(({ severity }) => severity === 'error').length;
  return { valid: errorCount === 0, errorCount, warningCount: issues.length - errorCount, diagnostics: issues.map(toDiagnostic) };
}

function toDiagnostic({ severity, code, message, hint, path, place }: Issue): Diagnostic {
  const range =
    place === undefined
      ? null
      : { start: { line: place.line, column: place.column }, end: { line: place.line, column: place.column + place.length } };
  return { severity, code, summary: message, detail: hint ?? '', path: formatPath(path), file: place?.file ?? null, range };
}
