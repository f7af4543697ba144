/** What a tenant has beside servers, in a real Chromium: volumes, networks as lists and as a drawing, rules, keys, images. */
import t, { type Test } from 'tap';
import { inspect, logInAt, TestBrowser, typeFirst, whyNoBrowser } from '../../support/web/browser.ts';
import { startPageCloud } from '../../support/web/page-cloud.ts';

const options = { skip: whyNoBrowser, timeout: 300_000 };

async function start(t: Test) {
  const cloud = await startPageCloud(t);
  const browser = await TestBrowser.launch(t);
  const page = await browser.open(t);
  const go = async (link: string, title = link) => {
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: link, exact: true }).click();
    await page.getByRole('heading', { name: title, level: 1 }).waitFor();
  };
  await logInAt(page, cloud.url, 'admin', cloud.adminPassword);
  return { cloud, page, go };
}

void t.test('volumes, their snapshots, and their end', options, async (t) => {
  const { page, go } = await start(t);
  await go('Volumes');
  await page.getByRole('button', { name: 'Create volume' }).click();
  await typeFirst(page, 'data');
  await inspect(t, page, 'volume-create');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'data' }).waitFor();
  await page.getByText('available').waitFor();
  await inspect(t, page, 'volumes');
  await page.getByRole('button', { name: 'Snapshot data' }).click();
  await typeFirst(page, 'before');
  await page.keyboard.press('Enter');
  await page.getByText('Snapshot: asked of data.').waitFor();
  await page.getByRole('link', { name: 'data' }).click();
  await page.getByRole('cell', { name: 'before', exact: true }).waitFor();
  await inspect(t, page, 'volume');
  await page.getByRole('button', { name: 'Delete before' }).click();
  await page.getByText('The snapshot before: what the volume was at that moment.').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('There are no snapshots.').waitFor();
  await go('Snapshots');
  await go('Backups');
  await inspect(t, page, 'backups');
  await go('Volumes');
  await page.getByRole('button', { name: 'Delete data' }).click();
  await page.getByText('The volume data, 1 GiB').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('There are no volumes.').waitFor();
});

void t.test('networks, a router, a floating IP, and the drawing of them', options, async (t) => {
  const { cloud, page, go } = await start(t);
  const outer = await cloud.create('/networking/v2.0/networks', 'network', { name: 'outer', 'router:external': true });
  await cloud.create('/networking/v2.0/subnets', 'subnet', {
    network_id: outer.id,
    ip_version: 4,
    cidr: '203.0.113.0/24',
    enable_dhcp: false,
  });
  await go('Networks');
  await page.getByRole('button', { name: 'Create network' }).click();
  await typeFirst(page, 'inner');
  await page.getByLabel('Addresses (CIDR)').fill('no address');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: /cidr/iu }).waitFor();
  await page.getByLabel('Addresses (CIDR)').fill('10.8.0.0/24');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'inner' }).waitFor();
  t.equal(await page.getByRole('link', { name: 'inner' }).count(), 1, 'the one without addresses has gone');
  await inspect(t, page, 'networks');

  await go('Routers');
  await page.getByRole('button', { name: 'Create router' }).click();
  await typeFirst(page, 'way-out');
  await page.getByLabel('External network').selectOption({ label: 'outer' });
  await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click();
  await page.getByRole('link', { name: 'way-out' }).waitFor();
  const { subnets } = (await cloud.cloud.gateway.call('GET', '/networking/v2.0/subnets?cidr=10.8.0.0/24')).json();
  await page.getByRole('button', { name: 'Join a subnet way-out' }).click();
  await page.getByRole('dialog').getByLabel('Subnet', { exact: true }).selectOption(subnets[0].id);
  await page.getByRole('dialog').getByRole('button', { name: 'Join a subnet' }).click();
  await page.getByText('Join a subnet: asked of way-out.').waitFor();

  const { networks } = (await cloud.cloud.gateway.call('GET', '/networking/v2.0/networks?name=inner')).json();
  const { images } = (await cloud.cloud.gateway.call('GET', '/image/v2/images')).json();
  await cloud.create('/compute/v2.1/servers', 'server', {
    name: 'web',
    flavorRef: '1',
    imageRef: images[0].id,
    networks: [{ uuid: networks[0].id }],
  });
  await go('Floating IPs');
  await page.getByRole('button', { name: 'Allocate floating IP' }).click();
  await page.getByLabel('External network').selectOption({ label: 'outer' });
  await page.getByLabel('Port of a server').selectOption({ index: 1 });
  await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click();
  await page
    .getByRole('cell', { name: /^203\.0\.113\./u })
    .first()
    .waitFor();
  await inspect(t, page, 'floating-ips');

  await go('Topology');
  await page.getByRole('link', { name: 'Server web' }).waitFor();
  await page.getByText(/10\.8\.0\.\d+ ⇄ 203\.0\.113\.\d+/u).waitFor();
  await inspect(t, page, 'topology');
  await page.getByLabel('Theme').selectOption('dark');
  await inspect(t, page, 'topology-dark');
  await page.getByRole('link', { name: 'Router way-out' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'way-out' }).waitFor();
  await inspect(t, page, 'router');
  await go('Ports');
  await inspect(t, page, 'ports');
  await page
    .getByRole('link', { name: /^10\.8\.0\./u })
    .last()
    .click();
  await page.getByRole('heading', { name: 'Security groups' }).waitFor();
  await inspect(t, page, 'port');
});

void t.test('security groups in words, key pairs, quotas, access', options, async (t) => {
  const { page, go } = await start(t);
  await go('Security groups');
  await page.getByRole('button', { name: 'Create security group' }).click();
  await typeFirst(page, 'web');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'web' }).click();
  await page.getByRole('heading', { name: 'Rules' }).waitFor();
  await page.getByRole('button', { name: 'Add rule' }).click();
  await page.getByLabel('Ports').fill('443');
  await inspect(t, page, 'rule-create');
  await page.keyboard.press('Enter');
  await page.getByRole('cell', { name: 'TCP 443 (HTTPS) from anywhere over IPv4', exact: true }).waitFor();
  await inspect(t, page, 'security-group');
  await go('Security groups');
  await page.getByRole('cell', { name: 'TCP 443 (HTTPS) from anywhere over IPv4', exact: true }).waitFor();
  await inspect(t, page, 'security-groups');

  await go('Key pairs');
  await page.getByRole('button', { name: 'Create key pair' }).click();
  await typeFirst(page, 'mine');
  await page.keyboard.press('Enter');
  await page.getByText('This is shown once').waitFor();
  await page.getByText('PRIVATE KEY').first().waitFor();
  await inspect(t, page, 'key-pair-made');
  await page.keyboard.press('Escape');
  await page.getByRole('cell', { name: 'mine', exact: true }).waitFor();

  await go('Quotas');
  await page.getByText('0 of 10').first().waitFor();
  await inspect(t, page, 'quotas');
  await go('API access');
  const yaml = await page.getByText('clouds:').textContent();
  t.match(yaml, /auth_url: "http.*\/identity\/v3"/);
  t.notMatch(yaml, /password:/);
  await inspect(t, page, 'access');
});

void t.test('an image is uploaded with its progress, and its format known', options, async (t) => {
  const { page, go } = await start(t);
  await go('Images');
  await inspect(t, page, 'images');
  await page.getByRole('link', { name: 'Upload image' }).click();
  const content = Buffer.alloc(2 * 1024 * 1024, 7);
  await page
    .getByLabel('File')
    .setInputFiles({ name: 'my disk.img', mimeType: 'application/octet-stream', buffer: content });
  t.equal(await page.getByLabel('Name').inputValue(), 'my disk');
  t.equal(await page.getByLabel('Format').inputValue(), 'raw');
  await inspect(t, page, 'image-upload');
  await page.getByRole('button', { name: 'Upload image' }).click();
  await page.getByRole('heading', { name: 'my disk' }).waitFor();
  await page.getByText('active', { exact: true }).waitFor();
  await page.getByText('2 MiB').first().waitFor();
  await inspect(t, page, 'image');
  await page.keyboard.press('Control+k');
  await typeFirst(page, 'my di');
  await page.getByRole('option', { name: 'Image my disk' }).waitFor();
});
