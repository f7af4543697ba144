/**
 * What is to become of a server whose host is gone. Asked for by the server's metadata, else by its flavor, else by its project;
 * who asks for nothing gets nothing. Pure.
 *
 * | where | keys |
 * |---|---|
 * | metadata of the server | `ha` = `restart` or `none`; Masakari's `HA_Enabled` = `True`; `ha_priority`; `ha_max_restarts`; `ha_window_seconds` |
 * | extra specs of the flavor | `ha:policy`; `ha:priority`; `ha:max_restarts`; `ha:window_seconds`; `ha:preferred_hosts`; `ha:excluded_hosts` |
 * | attributes of the project | `ha` |
 *
 * Hosts are named by administrators alone, so not in metadata. What cannot be read counts as not said.
 */
import type { shoal } from '../../../../proto/messages.ts';

/** See above. */
export interface HaPolicy {
  readonly restarts: boolean;
  /** Higher comes first; 0 to 100. */
  readonly priority: number;
  /** Takeovers in one window before it is left where it is; 1 to 16. */
  readonly restartsMax: number;
  /** Unit: seconds. */
  readonly windowSeconds: number;
  /** Names of hosts. */
  readonly preferredHosts: readonly string[];
  readonly excludedHosts: readonly string[];
}

const defaults = { priority: 50, restartsMax: 3, windowSeconds: 3_600 } as const;
const priorityMax = 100;
/** As many moves as are remembered of one server. */
const restartsMaxMax = 16;
const windowSecondsMax = 7 * 86_400;
/** Hosts named in one list. */
const hostsMax = 64;

/** @param extras attributes of the server's project, each value as JSON text. */
export function haPolicyOf(
  { metadata, flavor }: Pick<shoal.v1.Server, 'metadata' | 'flavor'>,
  extras: Readonly<Record<string, string>>,
): HaPolicy {
  const specs = flavor?.extraSpecs ?? {};
  const said = [ownWord(metadata), wordOf(specs['ha:policy']), wordOf(jsonText(extras['ha']))];
  const number = (own: string, spec: string, range: readonly [number, number], otherwise: number): number =>
    numberIn(textAt(metadata, own), range) ?? numberIn(textAt(specs, spec), range) ?? otherwise;
  return {
    restarts: said.find((word) => word !== undefined) === 'restart',
    priority: number('ha_priority', 'ha:priority', [0, priorityMax], defaults.priority),
    restartsMax: number('ha_max_restarts', 'ha:max_restarts', [1, restartsMaxMax], defaults.restartsMax),
    windowSeconds: number('ha_window_seconds', 'ha:window_seconds', [60, windowSecondsMax], defaults.windowSeconds),
    preferredHosts: namesOf(specs['ha:preferred_hosts']),
    excludedHosts: namesOf(specs['ha:excluded_hosts']),
  };
}

function textAt(words: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(words, key) ? words[key] : undefined;
}

function ownWord(metadata: Readonly<Record<string, string>>): 'restart' | 'none' | undefined {
  const word = wordOf(metadata['ha']);
  if (word !== undefined) return word;
  const masakari = metadata['HA_Enabled']?.toLowerCase();
  return masakari === 'true' ? 'restart' : masakari === 'false' ? 'none' : undefined;
}

function wordOf(text: string | undefined): 'restart' | 'none' | undefined {
  return text === 'restart' || text === 'none' ? text : undefined;
}

function jsonText(json: string | undefined): string | undefined {
  return json?.startsWith('"') === true && json.endsWith('"') ? json.slice(1, -1) : undefined;
}

function numberIn(text: string | undefined, [min, max]: readonly [number, number]): number | undefined {
  if (text === undefined || !/^[0-9]{1,9}$/.test(text)) return undefined;
  const number = Number(text);
  return number >= min && number <= max ? number : undefined;
}

function namesOf(text: string | undefined): readonly string[] {
  const names = (text ?? '').split(',').map((name) => name.trim());
  return names.filter((name) => name !== '').slice(0, hostsMax);
}
