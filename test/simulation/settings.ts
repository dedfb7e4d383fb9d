/** Settings of simulated databases. */

import { defaultSettings, type SettingValues } from '../../src/engine/settings.ts';
import { LIMIT_WRITE_BYTES } from './statements.ts';

export const DIRECTORY = '/repository';
export const MEMORY_LIMIT_BYTES: number = 256 * 1024 * 1024;

/** Asks the system for its time zone and its memory, once. */
const DEFAULTS = defaultSettings(DIRECTORY);

export type SettingsShape = {
  readonly syncOnWrite: boolean;
  readonly rotateBytes: number;
  /** As the setting has it: `1 s`; `0 s` = no checkpoint by itself. */
  readonly checkpointInterval: string;
  readonly nodeCount: number;
  readonly frontendCount: number;
};

export function settingsOf(shape: SettingsShape): SettingValues {
  return {
    ...DEFAULTS,
    backends: shape.nodeCount,
    frontends: shape.frontendCount,
    memory_limit: MEMORY_LIMIT_BYTES,
    limit_write: LIMIT_WRITE_BYTES,
    wal_sync_on_write: shape.syncOnWrite,
    wal_sync_on_rotate: true,
    wal_rotate_wm: shape.rotateBytes,
    checkpoint_interval: shape.checkpointInterval,
  };
}
