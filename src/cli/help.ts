/** Texts of `--help`. */

import { SETTINGS } from '../engine/settings.ts';
import type { Command } from './command.ts';

/** `amelie --help`. */
export function generalHelp(commands: readonly Command[]): string {
  const rows = commands.map(({ name, synopsis, summary }) => [`amelie ${name} ${synopsis}`, summary] as const);
  return [
    'Amelie: an in-memory SQL database that treats the cores of a machine as the nodes of a distributed database.',
    '',
    ...table([...rows, ['amelie <command> --help', 'options of a command'], ['amelie --version', 'the version']]),
    '',
    'Every command takes --json=\'{"option": value}\' for options in one piece.',
    '',
  ].join('\n');
}

/** `amelie <command> --help`. */
export function commandHelp(command: Command): string {
  return [`amelie ${command.name} ${command.synopsis}`, '', command.summary, '', ...command.details, ''].join('\n');
}

/** The settings that a command takes, by name, wrapped. */
export function settingNames(isWanted: (change: string) => boolean): readonly string[] {
  const lines: string[] = [];
  let line = ' ';
  for (const { name, change } of SETTINGS) {
    if (!isWanted(change)) continue;
    if (line.length + name.length > 98) {
      lines.push(line);
      line = ' ';
    }
    line += ` ${name}`;
  }
  return [...lines, line];
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
