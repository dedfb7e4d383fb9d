/** Messages between main and the frontends' threads, by MessagePort. Queries never travel here. */

import type { ErrorCode } from '../base/errors.ts';
import type { MemoryHandle } from '../base/memory.ts';
import type { StatementStatistics } from '../engine/frontend/program-cache.ts';
import type { Listener, SettingValues } from '../engine/settings.ts';
import type { UtilityStatement } from '../sql/ast/ast.ts';
import type { LogLine } from './log.ts';

export type BackendData = {
  readonly control: SharedArrayBuffer;
  readonly memory: MemoryHandle;
  readonly node: number;
  readonly logDirectory: string | undefined;
};

export type LogThreadData = {
  readonly control: SharedArrayBuffer;
  readonly memory: MemoryHandle;
  readonly logDirectory: string;
};

export type FrontendData = {
  readonly control: SharedArrayBuffer;
  readonly memory: MemoryHandle;
  readonly frontend: number;
  readonly settings: SettingValues;
  readonly listeners: readonly Listener[];
};

export type FromMain =
  | { readonly kind: 'listen' }
  | { readonly kind: 'settings'; readonly id: number; readonly settings: SettingValues }
  | {
      readonly kind: 'reply';
      readonly id: number;
      readonly error?: { readonly code: ErrorCode; readonly message: string; readonly position: number | undefined };
      readonly body?: Uint8Array;
    }
  | { readonly kind: 'status'; readonly id: number }
  | { readonly kind: 'statements'; readonly id: number }
  | { readonly kind: 'close' };

export type FromFrontend =
  | { readonly kind: 'ready'; readonly threadPath: string }
  | { readonly kind: 'listening'; readonly addresses: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string; readonly code?: string; readonly port?: number }
  | {
      readonly kind: 'utility';
      readonly id: number;
      readonly statement: UtilityStatement;
      readonly settings: { readonly format: string; readonly timezone: string };
    }
  | {
      readonly kind: 'status';
      readonly id: number;
      readonly connections: number;
      readonly sentBytes: number;
      readonly receivedBytes: number;
    }
  | { readonly kind: 'statements'; readonly id: number; readonly statements: readonly StatementStatistics[] }
  | { readonly kind: 'settings'; readonly id: number }
  | { readonly kind: 'log'; readonly line: LogLine }
  | { readonly kind: 'closed' };

export type FromBackend = { readonly kind: 'ready'; readonly threadPath: string };

export type FromLogThread = FromBackend | { readonly kind: 'log'; readonly line: LogLine };
