/** Nova's names of limits, each with the name that it is kept by, in the groups that microversions take away or add. */
import { ShoalError } from '../../../../node/base/errors.ts';
import type { QuotaResource } from '../../../../node/services/kit/quota.ts';

type Names = Readonly<Record<string, QuotaResource>>;

/** Of every microversion. */
export const usualLimits = {
  instances: 'instances',
  cores: 'cores',
  ram: 'ram',
  metadata_items: 'metadata_items',
  key_pairs: 'key_pairs',
} as const satisfies Names;

export const serverGroupLimits = {
  server_groups: 'server_groups',
  server_group_members: 'server_group_members',
} as const satisfies Names;

/** Kept by Neutron now. */
export const networkLimits = {
  floating_ips: 'floatingip',
  fixed_ips: 'fixed_ips',
  security_groups: 'security_group',
  security_group_rules: 'security_group_rule',
} as const satisfies Names;

export const injectedFileLimits = {
  injected_files: 'injected_files',
  injected_file_content_bytes: 'injected_file_content_bytes',
  injected_file_path_bytes: 'injected_file_path_bytes',
} as const satisfies Names;

/** The refusal of a limit that a microversion does not have. */
export function unexpectedLimit(key: string): ShoalError {
  return new ShoalError(
    'INVALID_ARGUMENT',
    `Additional properties are not allowed ('${key.slice(0, 64)}' was unexpected)`,
  );
}
