/** Ctrl-C and SIGTERM while an experiment runs: the first asks it to stop and keep what is finished, the second kills. */
import { exitCodes, type ExitCode } from '../core/errors.ts';

const codes = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const;
type InterruptSignal = keyof typeof codes;

export interface Interrupt {
  readonly signal: AbortSignal;
  /** How the program must end, once a signal came. */
  code(): ExitCode | undefined;
  /** Back to the default: a signal kills. */
  stop(): void;
}

export function listenForInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  let received: InterruptSignal | undefined;
  const listener = (signal: InterruptSignal): void => {
    if (received === undefined) {
      received = signal;
      onFirst();
      controller.abort();
    } else process.exit(codes[signal]);
  };
  for (const signal of Object.keys(codes)) process.on(signal, listener);
  return {
    signal: controller.signal,
    code: () => (received === undefined ? undefined : codes[received]),
    stop: () => {
      for (const signal of Object.keys(codes)) process.off(signal, listener);
    },
  };
}
