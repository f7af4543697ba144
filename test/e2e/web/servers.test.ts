/** Servers in a real Chromium: made by the form with its defaults, every verb, log, actions, console, deleted; names of all kinds; ten thousand of them. */
import t, { type Test } from 'tap';
import { inspect, logInAt, TestBrowser, whyNoBrowser } from '../../support/web/browser.ts';
import { type PageCloud, startPageCloud } from '../../support/web/page-cloud.ts';

const options = { skip: whyNoBrowser, timeout: 300_000 };

/** Scrolls a long table in sixty steps; how long each took, shortest first. In the page. */
const scrolling = `(async () => {
  const list = document.querySelector('.table-scroll');
  const times = [];
  let last = performance.now();
  for (let step = 0; step < 60; step++) {
    list.scrollTop += 1500;
    await new Promise(requestAnimationFrame);
    times.push(performance.now() - last);
    last = performance.now();
  }
  return times.sort((a, b) => a - b);
})()`;

async function networkOf(cloud: PageCloud): Promise<string> {
  const network = await cloud.create('/networking/v2.0/networks', 'network', { name: 'inner' });
  await cloud.create('/networking/v2.0/subnets', 'subnet', {
    network_id: network.id,
    ip_version: 4,
    cidr: '10.9.0.0/16',
  });
  return network.id;
}

async function openPage(t: Test, cloud: PageCloud, path: string, options = {}) {
  const browser = await TestBrowser.launch(t);
  const page = await browser.open(t, options);
  await logInAt(page, `${cloud.url}/ui${path}`, 'admin', cloud.adminPassword);
  return page;
}

void t.test('a server from its making to its end', options, async (t) => {
  const cloud = await startPageCloud(t);
  await networkOf(cloud);
  const page = await openPage(t, cloud, '/servers');
  await page.getByText('There are no servers.').waitFor();
  await inspect(t, page, 'servers-empty');
  await page.getByRole('link', { name: 'Create server' }).click();
  await page.getByLabel('Name', { exact: true }).waitFor();
  await inspect(t, page, 'server-create');
  t.equal(await page.getByLabel('Name', { exact: true }).and(page.locator(':focus')).count(), 1);
  await page.keyboard.type('web-1');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'web-1' }).waitFor();
  await page.getByText('ACTIVE').waitFor();
  await inspect(t, page, 'server');

  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.getByText('SHUTOFF').waitFor();
  t.equal(await page.getByRole('button', { name: 'Pause' }).count(), 0, 'what the state does not allow is not offered');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByText('ACTIVE').waitFor();
  await page.getByRole('button', { name: 'Hard reboot' }).click();
  await page.getByText('The power of web-1 is cut').waitFor();
  await inspect(t, page, 'server-hard-reboot');
  await page.keyboard.press('Escape');
  t.equal(
    await page.getByRole('button', { name: 'Hard reboot' }).and(page.locator(':focus')).count(),
    1,
    'the focus goes back',
  );
  await page.getByRole('button', { name: 'Lock' }).click();
  await page.getByRole('button', { name: 'Unlock' }).click();
  await page.getByRole('button', { name: 'Lock' }).waitFor();

  for (const [tab, seen] of [
    ['Actions', 'create'],
    ['Volumes', 'There are no volumes.'],
    ['Network', '10.9.'],
  ] as const) {
    await page.getByRole('link', { name: tab, exact: true }).last().click();
    await page.getByText(seen).first().waitFor();
    await inspect(t, page, `server-${tab.toLowerCase()}`);
  }
  await page.reload();
  await page.getByText('MAC address').waitFor();
  t.match(page.url(), /tab=network/, 'the tab is in the address');

  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('Its own disk, with all that is on it.').waitFor();
  await inspect(t, page, 'server-delete');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('There are no servers.').waitFor();
});

void t.test('names of all kinds are names, and nothing else', options, async (t) => {
  const cloud = await startPageCloud(t);
  const names = [
    '<script>document.title="owned"</script><img src=x onerror=alert(1)>',
    '\u202eevil\u202c reversed',
    'x'.repeat(255),
    "it's $(reboot) `id`",
  ];
  for (const name of names) {
    await cloud
      .create('/compute/v2.1/servers', 'server', { name, flavorRef: '1', imageRef: await imageOf(cloud), networks: [] })
      .catch((error: unknown) => {
        // Nova refuses control characters in names; what it takes is what is shown.
        t.match(String(error), /400/, name);
      });
  }
  const page = await openPage(t, cloud, '/servers', { width: 360, height: 740 });
  await page.getByText('<script>').first().waitFor();
  t.match(await page.title(), /^Servers/);
  t.equal(await page.locator('main img').count(), 0);
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360, 'the table scrolls, the page does not');
  await inspect(t, page, 'servers-hostile-narrow');
  await page.getByRole('link', { name: /^x{255}/u }).click();
  await page.getByRole('heading', { name: /^x{255}/u }).waitFor();
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
  await inspect(t, page, 'server-long-name-narrow');
});

async function imageOf({ cloud }: PageCloud): Promise<string> {
  return (await cloud.gateway.call('GET', '/image/v2/images')).json().images[0].id;
}

void t.test('ten thousand servers scroll, are sorted and found', options, async (t) => {
  const cloud = await startPageCloud(t);
  const page = await openPage(t, cloud, '/');
  // A list as the API would give it, by its own pages: making so many takes minutes.
  const one = (at: number) => ({
    id: `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`,
    name: `server-${at}`,
    status: at % 3 === 0 ? 'SHUTOFF' : 'ACTIVE',
    created: '2026-11-30T00:00:00Z',
    updated: '2026-11-30T00:00:00Z',
    addresses: { inner: [{ addr: `10.1.${at >> 8}.${at & 255}`, version: 4, 'OS-EXT-IPS:type': 'fixed' }] },
    flavor: { original_name: 'm1.tiny', vcpus: 1, ram: 128, disk: 1 },
    image: '',
    'OS-EXT-STS:task_state': null,
    'os-extended-volumes:volumes_attached': [],
  });
  const all = Array.from({ length: 10_000 }, (_, at) => one(at));
  await page.route('**/compute/v2.1/servers/detail*', (route) => {
    const { searchParams } = new URL(route.request().url());
    const marker = searchParams.get('marker');
    const first = marker === null ? 0 : all.findIndex(({ id }) => id === marker) + 1;
    const servers = searchParams.has('changes-since') ? [] : all.slice(first, first + 1000);
    return route.fulfill({ json: { servers } });
  });
  await page.getByRole('link', { name: 'Servers' }).click();
  await page.getByText('10000', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'server-0', exact: true }).waitFor();
  t.ok((await page.locator('tbody tr').count()) < 100, 'only rows in sight are elements');
  await inspect(t, page, 'servers-10000');
  const framesMs = await page.evaluate<readonly number[]>(scrolling);
  t.comment(`scrolling: median ${framesMs[30]?.toFixed(1)} ms a frame, longest ${framesMs.at(-1)?.toFixed(1)} ms`);
  t.equal(framesMs.length, 60, 'frames come while it scrolls');
  await page.getByRole('searchbox').fill('server-9999');
  await page.getByRole('link', { name: 'server-9999' }).waitFor();
  await page.getByText('1 of 10000').waitFor();
  t.match(page.url(), /filter=server-9999/, 'the filter is in the address');
  await page.getByRole('searchbox').fill('');
  await page.getByRole('button', { name: 'Name' }).click();
  await page.getByRole('link', { name: 'server-9999' }).waitFor();
  t.match(page.url(), /sort=-name/);
});
