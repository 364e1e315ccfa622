/** How far the work is: one line on standard error, redrawn in place where somebody looks at it, else a plain line now and then.
 *  The clock here is the user's own; it never reaches a result. */
import type { Terminal } from './terminal.ts';

/** What a running experiment tells about itself. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  /** Of all cells together, so far. */
  readonly simulatedMs: number;
  /** Of the whole work, 0 to 1. */
  readonly share: number;
}

export interface ProgressLine {
  update(progress: Progress): void;
  /** Takes the line away; call it before anything else is printed. */
  end(): void;
}

const redrawEveryMs = 100;
const plainEveryMs = 5000;

export function progressLine(
  terminal: Pick<Terminal, 'note' | 'animated'>,
  unit: string,
  now: () => number = () => performance.now(),
): ProgressLine {
  const startMs = now();
  let latest: Progress | undefined;
  let shownMs = terminal.animated ? -Infinity : startMs;
  const show = (): void => {
    if (latest === undefined || now() - shownMs < (terminal.animated ? redrawEveryMs : plainEveryMs)) return;
    shownMs = now();
    const text = progressText(latest, unit, shownMs - startMs);
    // Carriage return and "erase to the end of the line".
    terminal.note(terminal.animated ? `\r${text}\u001B[K` : `${text}\n`);
  };
  // Long cells finish rarely; the clock on the line should move all the same.
  const ticker = setInterval(show, terminal.animated ? 500 : plainEveryMs);
  ticker.unref();
  return {
    update: (progress) => {
      latest = progress;
      show();
    },
    end: () => {
      clearInterval(ticker);
      if (terminal.animated && latest !== undefined) terminal.note('\r\u001B[K');
      latest = undefined;
    },
  };
}

export const silentProgress: ProgressLine = { update: () => {}, end: () => {} };

/** `12/40 cells  350 simulated s/s  8 s left` */
export function progressText({ done, total, simulatedMs, share }: Progress, unit: string, elapsedMs: number): string {
  const parts = [`${done}/${total} ${unit}`];
  if (share > 0 && elapsedMs > 0) {
    parts.push(`${threeDigits(simulatedMs / elapsedMs)} simulated s/s`);
    parts.push(`${timeLeft((elapsedMs * (1 - share)) / share)} left`);
  }
  return parts.join('  ');
}

function timeLeft(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${threeDigits(minutes / 60)} h`;
}

const threeDigits = (value: number): string => (value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3))));
