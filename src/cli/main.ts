/**
 * The command line: finds the command, runs it, and turns errors into one line on standard error and exit code 1.
 */

import { SqlError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { readArguments, UsageError } from './arguments.ts';
import { benchCommand } from './bench.ts';
import type { Command } from './command.ts';
import { commandHelp, generalHelp } from './help.ts';
import { initCommand } from './init.ts';
import { startCommand } from './start.ts';
import { stopCommand } from './stop.ts';

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  [initCommand, startCommand, stopCommand, benchCommand].map((command) => [command.name, command]),
);

/** Commands of the specification that this version has not. */
const LATER_COMMANDS: readonly string[] = ['client', 'import', 'backup', 'top', 'login', 'logout'];

/**
 * Runs `amelie` with these arguments.
 *
 * @returns the exit code: 0, or 1 after a message on standard error
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  try {
    return await run(args);
  } catch (error) {
    process.stderr.write(`amelie: ${errorText(error)}\n`);
    return 1;
  }
}

async function run(args: readonly string[]): Promise<number> {
  const [name = 'client', ...rest] = args;
  if (name === '--version') {
    process.stdout.write(`amelie ${VERSION}\n`);
    return 0;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    const topic = COMMANDS.get(rest[0] ?? '');
    process.stdout.write(topic === undefined ? generalHelp([...COMMANDS.values()]) : commandHelp(topic));
    return 0;
  }
  const command = COMMANDS.get(name);
  if (command === undefined) {
    // The console needs no name: `amelie ./data`, `amelie --uri=…`, and `amelie` alone are its calls too.
    const isConsole = name.startsWith('-') || name.startsWith('.') || name.startsWith('/') || name.includes('://');
    if (!isConsole && !LATER_COMMANDS.includes(name)) {
      throw new UsageError(`there is no command ${name}; amelie --help lists them`);
    }
    throw new UsageError(`not supported yet: amelie ${isConsole ? 'client' : name} (amelie --help lists what is)`);
  }
  const given = readArguments(rest, command.options);
  if (given.options.has('help')) {
    process.stdout.write(commandHelp(command));
    return 0;
  }
  return await command.run(given);
}

/** What a user has to read: the stack only where the error is a bug. */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, address, port } = error as { code?: string; address?: string; port?: number };
  if (code === 'EADDRINUSE') {
    const place = port === undefined || port < 0 ? address : `port ${port}`;
    return `${place} is in use by another program; --listen='[{"host": "*", "port": 3486}]' takes another one`;
  }
  const isBug = error instanceof TypeError || error instanceof ReferenceError || error.name === 'AssertionFailure';
  return isBug && !(error instanceof SqlError) ? (error.stack ?? error.message) : error.message;
}
