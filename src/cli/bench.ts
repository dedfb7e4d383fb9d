/** `amelie bench`: the options of the benchmark. */

import { join } from 'node:path';
import { type Arguments, booleanOption, integerOption, type OptionKinds, textOption, UsageError } from './arguments.ts';
import type { Command } from './command.ts';

const CONNECTION_OPTIONS: OptionKinds = { uri: 'text', path: 'text' };
const LATER_CONNECTION_OPTIONS: OptionKinds = {
  user: 'text',
  secret: 'text',
  token: 'text',
  tls_ca: 'text',
  tls_capath: 'text',
  tls_cert: 'text',
  tls_key: 'text',
  tls_server: 'text',
};
const TYPES: readonly string[] = ['tpcb', 'insert', 'upsert', 'resolved', 'import'];

export const benchCommand: Command = {
  name: 'bench',
  synopsis: '[target] [options]',
  summary: 'Loads a running server and prints its rate, each second and in the end.',
  details: [
    'target: a repository folder (starts with . or /; over its socket), or a URI (contains ://);',
    '        or --uri=…, or --path=<socket>; without any, localhost at the default port',
    '',
    `  --type=${TYPES.join('|')} (tpcb)`,
    '  --threads=4 (or as many as cores, where there are fewer) --clients=12 --time=10 (seconds)',
    '  --batch=500 (rows a request, not for tpcb) --scale=1 (for tpcb)',
    '  --init=true (makes the schema __bench again) --unlogged=false',
  ],
  options: {
    ...CONNECTION_OPTIONS,
    ...LATER_CONNECTION_OPTIONS,
    type: 'text',
    threads: 'integer',
    clients: 'integer',
    time: 'integer',
    batch: 'integer',
    scale: 'integer',
    init: 'boolean',
    unlogged: 'boolean',
  },
  run: bench,
};

async function bench(given: Arguments): Promise<number> {
  for (const name of Object.keys(LATER_CONNECTION_OPTIONS)) {
    if (given.options.has(name)) throw new UsageError(`not supported yet: --${name}`);
  }
  const type = textOption(given, 'type') ?? 'tpcb';
  if (!TYPES.includes(type)) throw new UsageError(`option --type: expected one of ${TYPES.join(', ')}, not ${type}`);
  const { DEFAULT_THREADS, runBench } = await import('../bench/run.ts');
  await runBench({
    ...serverOptions(given),
    type: type as 'tpcb' | 'insert' | 'upsert' | 'resolved' | 'import',
    threads: integerOption(given, 'threads', DEFAULT_THREADS, 1, 64),
    clients: integerOption(given, 'clients', 12, 1, 10_000),
    time: integerOption(given, 'time', 10, 1, 86_400),
    batch: integerOption(given, 'batch', 500, 1, 1_000_000),
    scale: integerOption(given, 'scale', 1, 1, 10_000),
    init: booleanOption(given, 'init', true),
    unlogged: booleanOption(given, 'unlogged', false),
    print: (line: string) => {
      process.stdout.write(`${line}\n`);
    },
  });
  return 0;
}

/** The server that target and connection options name; neither member: the default one on this machine. */
function serverOptions(given: Arguments): { uri?: string; path?: string } {
  const uri = textOption(given, 'uri');
  const path = textOption(given, 'path');
  const [target, ...others] = given.positionals;
  if (others[0] !== undefined) throw new UsageError(`amelie bench takes one target; what is ${others[0]}?`);
  const count = [uri, path, target].filter((place) => place !== undefined).length;
  if (count > 1) throw new UsageError('one target, --uri or --path says where the server is');
  if (uri !== undefined) return { uri };
  if (path !== undefined) return { path };
  if (target === undefined) return {};
  if (target.includes('://')) return { uri: target };
  if (target.startsWith('.') || target.startsWith('/')) return { path: join(target, 'amelie.sock') };
  throw new UsageError(`not supported yet: the login ${target} as target (a folder starts with . or /)`);
}
