/** The page's types as they should be now: from the routes of a whole gateway. */
import { clientTypes } from '../../../api-gateway/openapi/client-types.ts';
import type { WholeCloud } from '../../security/support/whole-cloud.ts';

export const clientFile = new URL('../../../api-gateway/web/app/api/gen/types.ts', import.meta.url);

/** The text of `clientFile`. */
export async function clientText({ cloud }: WholeCloud): Promise<string> {
  return clientTypes((await cloud.gateway.call('GET', '/openapi.json')).json());
}
