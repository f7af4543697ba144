/** The ports at which volumes of this host are served to other hosts, as configured. */
import { ShoalError } from '../base/errors.ts';
import type { Config } from './options.ts';

const portMax = 65_535;

/** Throws `INVALID_ARGUMENT` for a range that is empty or has numbers that are no ports. */
export function exportPorts({ exports }: Pick<Config, 'exports'>): { readonly first: number; readonly count: number } {
  const [first = 0, last = 0] = exports.ports.split('-').map(Number);
  if (first >= 1 && last <= portMax && last >= first) return { first, count: last - first + 1 };
  throw new ShoalError('INVALID_ARGUMENT', `exports.ports: ${exports.ports} is no range of ports, such as 10809-11808`);
}
