#!/usr/bin/env node
/** The command line's front door: open the terminal, run what was asked for, turn the outcome into an exit code. Everything heavy
 *  is imported by the command that needs it, so that help and version answer at once. */
import { createProgram } from './program.ts';
import { openTerminal } from './terminal.ts';

const terminal = openTerminal(process);
const program = createProgram(terminal);

try {
  if (process.argv.length <= 2) program.outputHelp();
  else await program.parseAsync();
} catch (failure) {
  const { explain } = await import('./failure.ts');
  terminal.exitWith(await explain(failure, terminal));
}
