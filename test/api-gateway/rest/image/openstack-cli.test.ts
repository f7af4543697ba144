import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { skipCli, startCli } from '../../../support/openstack-cli.ts';

// Python takes one to three seconds a command on a busy machine.
t.setTimeout(115_000);

void t.test(
  'the image commands of the openstack CLI work, and its mistakes are told as it expects',
  { skip: skipCli },
  async (t) => {
    const { openstack, folder, stop } = await startCli();
    t.teardown(stop);
    const content = Buffer.alloc(3_000_000, 'shoal');
    await writeFile(join(folder, 'disk.raw'), content);
    const made = await openstack(
      'image create --file disk.raw --disk-format raw --container-format bare --public --property os_distro=debian -f json tiny',
    );
    t.match(made, { failed: '', value: { name: 'tiny', visibility: 'public' } });
    t.match((await openstack('image list -f json')).value, [{ Name: 'tiny', Status: 'active' }]);
    t.match((await openstack('image show -f json tiny')).value, {
      status: 'active',
      size: content.length,
      properties: { os_distro: 'debian', os_hash_algo: 'sha512' },
    });
    t.equal((await openstack('image save --file copy.raw tiny')).failed, '');
    t.ok(content.equals(await readFile(join(folder, 'copy.raw'))));
    t.equal((await openstack('image set --property a=b --tag x --protected tiny')).failed, '');
    t.match((await openstack('image delete tiny')).failed, /protected/);
    t.equal((await openstack('image set --unprotected tiny')).failed, '');
    t.equal((await openstack('image unset --tag x --property a tiny')).failed, '');
    t.match((await openstack('image create --file disk.raw --disk-format qcow2 liar')).failed, /is not qcow2/);
    t.match((await openstack('image show none')).failed, /No Image found for none/);
    t.equal((await openstack('image delete tiny')).failed, '');
    const left: { Status: string }[] = (await openstack('image list -f json')).value;
    t.ok(
      left.every((image) => image.Status === 'queued'),
      'only the image whose content was refused',
    );
  },
);
