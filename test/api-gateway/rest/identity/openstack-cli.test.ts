import t from 'tap';
import { skipCli, startCli } from '../../../support/openstack-cli.ts';

// Python takes one to three seconds a command on a busy machine.
t.setTimeout(115_000);

void t.test(
  'the identity commands of the openstack CLI work, and its mistakes are told as it expects',
  { skip: skipCli },
  async (t) => {
    const { openstack, gateway, stop } = await startCli();
    t.teardown(stop);
    t.match((await openstack('token issue -f json')).value, {
      project_id: gateway.adminProjectId,
      user_id: gateway.adminUserId,
    });
    const catalog: { Type: string; Endpoints: { interface: string; url: string }[] }[] = (
      await openstack('catalog list -f json')
    ).value;
    t.ok(
      catalog.find((entry) => entry.Type === 'image')?.Endpoints.some((endpoint) => endpoint.url.endsWith('/image')),
    );
    t.match((await openstack('project list -f json')).value, [{ Name: 'admin' }]);
    t.match((await openstack('user list -f json')).value, [{ Name: 'admin' }]);
    t.match((await openstack('project create --description d -f json red')).value, { name: 'red', description: 'd' });
    t.match((await openstack('user create --password x --project red -f json ann')).value, {
      name: 'ann',
      enabled: true,
    });
    t.equal((await openstack('role add --user ann --project red member')).failed, '');
    t.match((await openstack('role assignment list --user ann --names -f json')).value, [
      { Role: 'member', Project: 'red@Default' },
    ]);
    const ann = { OS_USERNAME: 'ann', OS_PASSWORD: 'x', OS_PROJECT_NAME: 'red' };
    t.ok((await openstack('token issue -f json', ann)).value.id);
    t.match((await openstack('user list -f json', ann)).failed, /HTTP 403/);
    t.match((await openstack('token issue', { OS_PASSWORD: 'wrong' })).failed, /requires authentication.*HTTP 401/);
    t.match((await openstack('project create red')).failed, /exists already.*HTTP 409/);
    t.match((await openstack('project show blue')).failed, /No project with a name or ID of 'blue' exists/);
    t.equal((await openstack('user delete ann')).failed, '');
    t.equal((await openstack('project delete red')).failed, '');
    t.equal((await openstack('endpoint list -f json')).value.length, 21);
  },
);
