/** Where text goes and how it may look there: results to standard output, everything else to standard error, so that a pipe gets
 *  only what it asked for. */
import type { ExitCode } from '../core/errors.ts';

export interface Terminal {
  /** Results. */
  print(text: string): void;
  /** Progress, warnings, errors. */
  note(text: string): void;
  /** The exit code when everything is done; the last call counts. */
  exitWith(code: ExitCode): void;
  readonly results: Appearance;
  readonly notes: Appearance;
  /** Whether a line on standard error may be redrawn in place. */
  readonly animated: boolean;
}

export interface Appearance {
  readonly color: boolean;
  /** Box characters, check marks and arrows; plain ASCII otherwise. */
  readonly unicode: boolean;
  /** In columns. */
  readonly width: number;
}

type Environment = Readonly<Record<string, string | undefined>>;
interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}
interface Process {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly stdout: Stream;
  readonly stderr: Stream;
  exitCode?: number | string | null | undefined;
}

export function openTerminal(host: Process): Terminal {
  // An empty variable counts as unset. Commander reads these three itself and would take "" for a value.
  for (const name of ['CLUSTERLAB_SEED', 'CLUSTERLAB_JOBS', 'CLUSTERLAB_OUT']) {
    if (host.env[name] === '') delete (host.env as Record<string, string | undefined>)[name];
  }
  return {
    print: writerTo(host.stdout),
    note: writerTo(host.stderr),
    exitWith: (code) => {
      host.exitCode = code;
    },
    results: appearance(host.stdout, host),
    notes: appearance(host.stderr, host),
    animated: host.stderr.isTTY === true && !isSet(host.env.CI) && host.env.TERM !== 'dumb',
  };
}

/** When its reader has gone away, as in `| head`, what is written is dropped without a word; files are still written, and the exit code
 *  stays what it would have been. */
function writerTo(stream: Stream): (text: string) => void {
  let isOpen = true;
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
    isOpen = false;
  });
  return (text) => {
    if (isOpen) stream.write(text);
  };
}

function appearance(stream: Stream, { argv, env }: Pick<Process, 'argv' | 'env'>): Appearance {
  return { color: allowsColor(stream, argv, env), unicode: allowsUnicode(env), width: columns(stream, env) };
}

/** `--no-color`, then NO_COLOR, then FORCE_COLOR, then whether anybody is looking. */
function allowsColor(stream: Stream, argv: readonly string[], env: Environment): boolean {
  if (argv.includes('--no-color') || isSet(env.NO_COLOR)) return false;
  if (isSet(env.FORCE_COLOR)) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return stream.isTTY === true && env.TERM !== 'dumb';
}

/** Yes, unless the locale names another encoding or the terminal is the bare Linux console, whose font lacks most of it. */
function allowsUnicode(env: Environment): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return env.TERM !== 'linux' && (locale === '' || /utf-?8/i.test(locale));
}

function columns(stream: Stream, env: Environment): number {
  const asked = /^\d{2,4}$/.test(env.COLUMNS ?? '') ? Number(env.COLUMNS) : undefined;
  return stream.columns ?? asked ?? 100;
}

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';
