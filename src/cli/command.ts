/** What main needs to know of a command. */

import { type Arguments, type OptionKinds, UsageError } from './arguments.ts';

export type Command = {
  readonly name: string;
  /** What stands after the name. */
  readonly synopsis: string;
  readonly summary: string;
  /** Lines of `amelie <command> --help`. */
  readonly details: readonly string[];
  readonly options: OptionKinds;
  /** Resolves to the exit code. Errors are thrown, main prints them. */
  readonly run: (given: Arguments) => Promise<number>;
};

/** The one positional argument of init, start and stop. */
export function repositoryArgument(given: Arguments, command: string): string {
  const [directory, ...others] = given.positionals;
  if (directory === undefined) throw new UsageError(`which repository? amelie ${command} <repository>`);
  if (others[0] !== undefined) throw new UsageError(`amelie ${command} takes one repository; what is ${others[0]}?`);
  return directory;
}
