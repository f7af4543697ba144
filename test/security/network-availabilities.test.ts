/**
 * How full a network is, is for those who see the network. Today's policy lets only administrators of the cloud ask; here
 * the routes stand under one that lets everybody ask.
 */
import t from 'tap';
import { projectReader, rule } from '../../api-gateway/policies/rule.ts';
import { neutronFaults } from '../../api-gateway/rest/kit/faults.ts';
import type { RestModule } from '../../api-gateway/rest/kit/module.ts';
import { addIpAvailabilities } from '../../api-gateway/rest/network/operations.ts';
import { startCloud } from '../api-gateway/rest/cloud.ts';

const path = '/v2.0/network-ip-availabilities';
const open: RestModule = {
  name: 'open',
  prefixes: ['/open'],
  faults: neutronFaults,
  policies: [rule('get_network_ip_availability', projectReader, [`GET ${path}`, `GET ${path}/:id`])],
  requestIdHeaders: [],
  register: addIpAvailabilities,
};

void t.test('a network that is not seen is as one that nobody has, in the list and by its id', async (t) => {
  const cloud = await startCloud({ modules: [open] });
  t.teardown(() => cloud.stop());
  const make = async (network: object): Promise<string> => {
    const answer = await cloud.gateway.call('POST', '/networking/v2.0/networks', { body: { network } });
    return answer.json().network.id;
  };
  const [hidden, shared] = [await make({ name: 'hidden' }), await make({ name: 'shared', shared: true })];
  const ask = (below: string, token: string) => cloud.gateway.call('GET', `/open${path}${below}`, { token });
  const { memberToken } = cloud;
  const { token: adminToken } = cloud.gateway;
  const listed = (await ask('', memberToken)).json().network_ip_availabilities;
  t.strictSame(
    listed.map((each: { network_id: string }) => each.network_id),
    [shared],
  );
  t.equal((await ask(`/${shared}`, memberToken)).statusCode, 200);
  t.equal((await ask(`/${hidden}`, adminToken)).statusCode, 200);
  const unknown = '00000000-0000-4000-8000-00000000dead';
  const refused = await ask(`/${hidden}`, memberToken);
  t.equal(refused.statusCode, 404);
  t.equal(refused.body.replaceAll(hidden, unknown), (await ask(`/${unknown}`, memberToken)).body);
});
