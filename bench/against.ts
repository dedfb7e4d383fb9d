/**
 * `npm run bench -- --against=<commit>`: this tree and another commit in turns, tpcb at 12 and at 64 clients. Each side is
 * what its users run: its own `amelie start`, loaded by its own `amelie bench`, on its own Node.
 *
 * A pair starts both servers anew, because what V8 makes of the same code differs from process to process (14 % once),
 * and warms both up; its runs then take turns on the tables as they are. While one server is loaded the other has all its
 * threads parked. Runs of 3 s on cold servers that made their tables put the same code at 0.75 to 1.20 of itself at 12 clients.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_THREADS } from '../src/bench/run.ts';
import { type AgainstRequest, DEFAULT_PAIRS } from './arguments.ts';
import { checkOut, describeTree, fingerprintTree, installTree } from './checkout.ts';
import { describePair, makePair, type Pair, readBenchRate, runOrder, summarizePairs } from './pairs.ts';
import { runProgram } from './program.ts';
import type { Measurement } from './report.ts';
import { type Program, ServerProcess } from './server-process.ts';

const ROOT: string = fileURLToPath(new URL('..', import.meta.url));
const CLIENT_COUNTS: readonly number[] = [12, 64];
const RATIO_MIN = 0.95;
const WARM_UP_CLIENTS = 64;
const WARM_UP_SECONDS = 3;

type Contender = { readonly program: Program; readonly server: ServerProcess };

/** A line for each pair, then the median ratios as measurements. */
export async function measureAgainst(request: AgainstRequest, print: (line: string) => void): Promise<Measurement[]> {
  const install = (tree: string): Promise<void> => {
    print('  npm ci …');
    return installTree(tree, ROOT, print);
  };
  print('checking out:');
  const checkout = await checkOut({ root: ROOT, commit: request.commit, install });
  try {
    const before = await fingerprintTree(ROOT);
    print(`this tree: ${await describeTree(ROOT)}\nagainst:   ${checkout.title}`);
    const pairs = await runPairs(
      programOf(ROOT, join(checkout.compileCache, 'ours')),
      programOf(checkout.root, join(checkout.compileCache, 'theirs')),
      request,
      print,
    );
    if ((await fingerprintTree(ROOT)) !== before) {
      print('CAUTION: files of this tree were changed while it was measured: the later pairs are of other code.');
    }
    return CLIENT_COUNTS.map((clientCount) => toMeasurement(clientCount, pairs.get(clientCount)!, print));
  } finally {
    checkout.remove();
  }
}

/** A tree's launcher, on the Node of its platform package where it has one, else on this one. */
function programOf(root: string, compileCache: string): Program {
  const own = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  return {
    node: existsSync(own) ? own : process.execPath,
    launcher: join(root, 'bin', 'amelie.js'),
    environment: { ...process.env, NODE_COMPILE_CACHE: compileCache },
  };
}

async function runPairs(
  ours: Program,
  theirs: Program,
  request: AgainstRequest,
  print: (line: string) => void,
): Promise<Map<number, Pair[]>> {
  const pairs = new Map<number, Pair[]>(CLIENT_COUNTS.map((clientCount) => [clientCount, []]));
  for (let pairIndex = 0; pairIndex < request.pairCount; pairIndex++) {
    const ourServer = await ServerProcess.start([], { program: ours });
    try {
      const theirServer = await ServerProcess.start([], { program: theirs });
      const contenders = {
        ours: { program: ours, server: ourServer },
        theirs: { program: theirs, server: theirServer },
      };
      try {
        for (const contender of Object.values(contenders))
          await runLoad(contender, WARM_UP_CLIENTS, WARM_UP_SECONDS, true);
        for (const clientCount of CLIENT_COUNTS) {
          const order = runOrder(pairIndex);
          const rates: number[] = [];
          for (const side of order) rates.push(await runLoad(contenders[side], clientCount, request.seconds, false));
          const pair = makePair(order, rates);
          pairs.get(clientCount)!.push(pair);
          print(`  ${describePair(pairIndex, clientCount, pair)}`);
        }
      } finally {
        await theirServer.remove();
      }
    } finally {
      await ourServer.remove();
    }
  }
  return pairs;
}

/**
 * One run of a tree's own `amelie bench`, which makes the tables or takes them as the run before left them. Defaults differ
 * between commits, so all that matters is said.
 */
async function runLoad(
  { program, server }: Contender,
  clientCount: number,
  seconds: number,
  makesTables: boolean,
): Promise<number> {
  const options = {
    type: 'tpcb',
    threads: Math.min(DEFAULT_THREADS, clientCount),
    clients: clientCount,
    scale: 1,
    time: seconds,
    init: makesTables,
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const output = await runProgram(program.node, [program.launcher, 'bench', server.directory, ...args], {
    directory: server.directory,
    environment: program.environment,
  });
  return readBenchRate(output);
}

function toMeasurement(clientCount: number, pairs: readonly Pair[], print: (line: string) => void): Measurement {
  const { ratioMedian, ratioLowest, ratioHighest } = summarizePairs(pairs);
  const few = pairs.length < DEFAULT_PAIRS ? `; fewer than ${DEFAULT_PAIRS} pairs say little` : '';
  print(
    `tpcb, ${clientCount} clients: median ratio ${ratioMedian.toFixed(3)} of ${pairs.length} pairs, ` +
      `from ${ratioLowest.toFixed(3)} to ${ratioHighest.toFixed(3)}${few}`,
  );
  return {
    name: `tpcb, ${clientCount} clients, this tree against the commit`,
    ours: ratioMedian,
    unit: 'median ratio',
    target: { bound: 'at least', value: RATIO_MIN },
  };
}
