/** The ports at which volumes of this host are served to other hosts, as configured. */
import type { Config } from './options.ts';

const portMax = 65_535;

/** The range; `count` is 0 or less, or a port over 65535, where `exportMistakes` names it. */
export function exportPorts({ exports }: Pick<Config, 'exports'>): { readonly first: number; readonly count: number } {
  const [first = 0, last = 0] = exports.ports.split('-').map(Number);
  return { first, count: last - first + 1 };
}

/** What is wrong with it, for people. */
export function exportMistakes(config: Pick<Config, 'exports'>): readonly string[] {
  const { first, count } = exportPorts(config);
  if (first >= 1 && count >= 1 && first + count - 1 <= portMax) return [];
  return [`exports.ports: ${config.exports.ports} is no range of ports, such as 10809-11808`];
}
