/** Entry of a frontend's thread: sockets, HTTP, the frontend engine, and the doorbell that committers ring. */

import { readlinkSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { SqlError } from '../../base/errors.ts';
import { SystemClock, SystemRandom } from '../../base/files.ts';
import { Memory } from '../../base/memory.ts';
import { FrontendEngine, type FrontendSettings } from '../../engine/frontend/frontend-engine.ts';
import type { Reply } from '../../engine/frontend/pending-request.ts';
import { type SettingValues, timezoneOf } from '../../engine/settings.ts';
import { Control } from '../../executor/control.ts';
import { Doorbell } from '../../executor/doorbell.ts';
import { HttpServer } from '../http/server.ts';
import type { FromFrontend, FromMain, FrontendData } from '../messages.ts';
import { Diagnostics } from './diagnostics.ts';
import { FrontendHandler } from './handler.ts';
import { listenOn } from './listen.ts';

/** Completions handled before sockets get their turn. */
const POLL_LIMIT = 256;
/**
 * Passes of the event loop that go by, while tickets are in the air, before this thread asks to be rung: mostly the nodes are
 * done by then, or more requests have come. docs/decisions/two-more-passes.md.
 */
const PASSES_BEFORE_ARMED = 2;

const data = workerData as FrontendData;
const port = parentPort!;
const send = (message: FromFrontend): void => port.postMessage(message);

const control = new Control(data.control);
const memory = Memory.open(data.memory);
const clock = new SystemClock();
const settings: FrontendSettings = frontendSettings(data.settings);
const diagnostics = new Diagnostics(data.frontend, clock, data.settings.log_connections, (line) =>
  send({ kind: 'log', line }),
);
const waiting = new Map<number, Reply>();
let lastId = 0;
let isTurnScheduled = false;
let passesLeft = 0;

const engine = new FrontendEngine({
  control,
  memory,
  frontend: data.frontend,
  clock,
  random: new SystemRandom(),
  settings,
  utility: {
    run: (statement, requestSettings, reply) => {
      lastId++;
      waiting.set(lastId, reply);
      send({ kind: 'utility', id: lastId, statement, settings: requestSettings });
    },
  },
  timer: (delayMs, callback) => {
    setTimeout(() => {
      callback();
      scheduleTurn();
    }, delayMs);
  },
  onSlow: (slow) => diagnostics.slow(slow),
});
const handler = new FrontendHandler(engine, scheduleTurn);
const server = new HttpServer(handler, {
  clock,
  receiveLimitBytes: data.settings.limit_recv,
  onWarning: (error) =>
    send({ kind: 'log', line: { level: 'warn', message: 'http', fields: { reason: error.message } } }),
  onOpen: (connection) => diagnostics.opened(connection),
  onClose: (connection) => diagnostics.closed(connection),
});
const doorbell = new Doorbell(control, data.frontend, () => engine.hasWork(), turn);

function frontendSettings(values: SettingValues): FrontendSettings {
  return {
    timezone: timezoneOf(values),
    format: values.format,
    limitSendBytes: values.limit_send,
    limitWriteBytes: values.limit_write,
    limitStatementMs: values.limit_statement_ms,
    logSlowMs: values.log_slow_ms,
  };
}

/** The replies of one pass of the event loop are looked for together, behind the last of its requests. */
function scheduleTurn(): void {
  passesLeft = PASSES_BEFORE_ARMED;
  if (isTurnScheduled) return;
  isTurnScheduled = true;
  doorbell.disarm();
  setImmediate(scheduledTurn);
}

function scheduledTurn(): void {
  isTurnScheduled = false;
  turn();
  if (isTurnScheduled) return;
  if (passesLeft > 0 && engine.tickets.inAir > 0) {
    passesLeft--;
    isTurnScheduled = true;
    setImmediate(scheduledTurn);
  } else doorbell.arm();
}

function turn(): void {
  engine.flush();
  engine.poll(POLL_LIMIT);
  engine.flush();
  server.flush();
}

function onReply(message: FromMain & { kind: 'reply' }): void {
  const reply = waiting.get(message.id)!;
  waiting.delete(message.id);
  const { error, body } = message;
  if (error === undefined) reply(undefined, body);
  else reply(new SqlError(error.code, error.message, error.position), undefined);
  scheduleTurn();
}

async function listen(): Promise<void> {
  try {
    const addresses = await listenOn(server, data.listeners, data.frontend === 0);
    handler.isServing = true;
    send({ kind: 'listening', addresses });
  } catch (error) {
    const { message, code, port: taken } = error as NodeJS.ErrnoException & { port?: number };
    send({
      kind: 'failed',
      message,
      ...(code === undefined ? {} : { code }),
      ...(taken === undefined ? {} : { port: taken }),
    });
  }
}

async function close(): Promise<void> {
  // Requests that are in the air are answered; new ones get 503.
  handler.isServing = false;
  engine.endSleep();
  await doorbell.until(() => engine.pendingCount === 0 && waiting.size === 0);
  turn();
  await server.close(true);
  doorbell.close();
  send({ kind: 'closed' });
  port.close();
}

port.on('message', (message: FromMain) => {
  switch (message.kind) {
    case 'listen':
      void listen();
      break;
    case 'settings':
      Object.assign(settings, frontendSettings(message.settings));
      server.receiveLimitBytes = message.settings.limit_recv;
      diagnostics.isLoggingConnections = message.settings.log_connections;
      send({ kind: 'settings', id: message.id });
      break;
    case 'reply':
      onReply(message);
      break;
    case 'status':
      send({
        kind: 'status',
        id: message.id,
        connections: server.connectionCount,
        sentBytes: server.sentBytes,
        receivedBytes: server.receivedBytes,
      });
      break;
    case 'statements':
      send({ kind: 'statements', id: message.id, statements: engine.statistics() });
      break;
    case 'close':
      void close();
      break;
  }
});
send({ kind: 'ready', threadPath: readlinkSync('/proc/thread-self') });
