/** What a pool says of itself, and whether that is what a volume type asks for (Cinder's CapabilitiesFilter). */
import { ownValue } from '../../../base/own-value.ts';
import type { Pool } from './pools.ts';

/** In texts, by Cinder's names. Shown to administrators, and compared with the extra specs of types. */
export function poolCapabilities({ name, shared }: Pick<Pool, 'name' | 'shared'>): Readonly<Record<string, string>> {
  return {
    vendor_name: 'Shoal',
    storage_protocol: shared ? 'ceph' : 'file',
    volume_backend_name: name,
    pool_name: name,
  };
}

/**
 * The first extra spec that the pool does not meet, as "KEY VALUE"; undefined: it meets all. Keys are compared that pools tell
 * something of, with or without `capabilities:`; other keys are not about where a volume is.
 */
export function unmetSpec(
  extraSpecs: Readonly<Record<string, string>>,
  pool: Pick<Pool, 'name' | 'shared'>,
): string | undefined {
  const told = poolCapabilities(pool);
  for (const [key, wanted] of Object.entries(extraSpecs)) {
    const value = ownValue(told, key.replace(/^capabilities:/, ''));
    if (value !== undefined && !isMet(wanted, value)) return `${key} ${wanted}`;
  }
  return undefined;
}

/** The operators that Cinder has for texts; without one the text itself. */
function isMet(wanted: string, value: string): boolean {
  const [operator = '', ...rest] = wanted.trim().split(/\s+/);
  const operand = rest.join(' ');
  if (operator === '<or>') return ` ${operand}`.split(' <or> ').some((one) => one.trim() === value);
  if (operator === '<in>') return value.includes(operand);
  if (operator === 's==') return value === operand;
  if (operator === 's!=') return value !== operand;
  return wanted === value;
}
