import { CommanderError } from 'commander';
import { reportFrom } from './cli-failure.ts';
import { createContext } from './context.ts';
import { exitCode } from './exit-code.ts';
import { createProgram } from './program.ts';
import { printFailure } from './terminal/print-failure.ts';
import { processTerminal } from './terminal/terminal.ts';
import { cliVersion } from './version.ts';

const terminal = processTerminal();
const context = createContext(terminal, cliVersion);
// Whoever reads our output may have gone (`weft get … | head`): that is no failure.
process.stdout.on('error', () => process.exit(exitCode.ok));
process.stderr.on('error', () => {});
try {
  await createProgram(context).parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    context.exitCode = error.exitCode === 0 ? exitCode.ok : exitCode.userMistake;
  } else {
    const report = reportFrom(error);
    printFailure(terminal, report);
    context.exitCode = report.exitCode;
  }
}
process.exitCode = context.exitCode;
