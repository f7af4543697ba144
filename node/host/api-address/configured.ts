import { runCommand } from '../../../drivers/command.ts';
import { KernelLinkAddress } from '../../../drivers/link-address/link-address.ts';
import type { HostId } from '../../base/ids.ts';
import type { Config } from '../../config/options.ts';
import type { ServiceDependencies } from '../../services/kit/dependencies.ts';
import { ApiAddress } from './api-address.ts';

/** What keeps the address of the API that moves; undefined: the configuration names none. */
export function apiAddressOf(
  { api }: Pick<Config, 'api'>,
  deps: ServiceDependencies & { readonly isReplica: () => boolean },
  hostId: HostId,
): ApiAddress | undefined {
  const [address = ''] = api.virtualAddress.split('/');
  if (address === '') return undefined;
  const link = new KernelLinkAddress(runCommand, { cidr: api.virtualAddress, interface: api.virtualInterface });
  const logger = deps.logger.child({ part: 'api-address' });
  return new ApiAddress({ ...deps, link, logger }, address, hostId);
}
