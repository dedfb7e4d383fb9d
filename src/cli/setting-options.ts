/**
 * Settings as options: `--name=value` for every setting that `init` or `start` may change.
 */

import {
  SETTINGS,
  type SettingName,
  type SettingSource,
  type SettingValues,
  settingChange,
  settingFromText,
  settingFromValue,
} from '../engine/settings.ts';
import type { Arguments, OptionKind, OptionKinds } from './arguments.ts';

/** Every setting, the read-only ones too: giving one of those is refused with the reason, not as an unknown option. */
export const SETTING_OPTIONS: OptionKinds = Object.fromEntries(
  SETTINGS.map(({ name, kind }): [string, OptionKind] => [name, kind === 'bool' ? 'boolean' : 'text']),
);

/** The settings among the options, checked; an SqlError that names a wrong one. */
export function givenSettings(given: Arguments, source: SettingSource): Partial<SettingValues> {
  const settings: Partial<SettingValues> = {};
  for (const [name, option] of given.options) {
    if (!Object.hasOwn(SETTING_OPTIONS, name)) continue;
    const value =
      option.kind === 'text'
        ? settingFromText(name, option.text, source)
        : settingFromValue(name, option.value, source);
    Object.assign(settings, settingChange(name as SettingName, value));
  }
  return settings;
}
