/** What operators see and do in the page, in a real Chromium: the mesh, a host, placement, jobs, changes as they happen. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { webModule } from '../../../api-gateway/web/server/module.ts';
import { buildWeb } from '../../../node/dev/web/build.ts';
import { startWholeCloud, type WholeCloud } from '../../security/support/whole-cloud.ts';
import { adminPassword } from '../../support/gateway.ts';
import { inspect, logInAt, TestBrowser, whyNoBrowser } from '../../support/web/browser.ts';

const options = { skip: whyNoBrowser, timeout: 240_000 };

async function start(t: Test): Promise<{ readonly whole: WholeCloud; readonly url: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-operators-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const built = join(folder, 'web');
  await buildWeb(built);
  const whole = await startWholeCloud({}, {}, { listen: true, act: true, modules: [webModule(built)] });
  t.teardown(() => whole.stop());
  const [address] = whole.cloud.gateway.server.addresses;
  return { whole, url: `http://127.0.0.1:${address?.port ?? 0}` };
}

void t.test('the mesh, a ticket, a host that takes no new servers, drained', options, async (t) => {
  const { url } = await start(t);
  const browser = await TestBrowser.launch(t);
  const page = await browser.open(t);
  await logInAt(page, `${url}/ui/mesh`, 'admin', adminPassword);
  await page.getByRole('heading', { name: 'Mesh' }).waitFor();
  await page.getByText('The cluster has a quorum').waitFor();
  await page.getByRole('link', { name: 'host-1, alive' }).waitFor();
  await page.getByRole('radio', { name: 'vCPUs' }).check();
  t.match(page.url(), /by=vcpus/u);
  await inspect(t, page, 'mesh');

  await page.getByRole('button', { name: 'Add a host' }).click();
  await page.getByRole('button', { name: 'Make a ticket' }).click();
  await page.getByText('shoal agent --join').waitFor();
  await inspect(t, page, 'ticket');
  await page.getByRole('button', { name: 'Close' }).click();

  await page.getByRole('link', { name: 'host-1, alive' }).click();
  await page.getByRole('heading', { name: 'host-1' }).waitFor();
  await page.getByRole('button', { name: 'Take no new servers' }).click();
  await page.getByText('disabled', { exact: true }).waitFor();
  await inspect(t, page, 'host');
  await page.getByRole('button', { name: 'Take servers' }).click();
  await page.getByText('alive', { exact: true }).waitFor();

  await page.getByRole('button', { name: 'Drain', exact: true }).click();
  await page.getByRole('dialog', { name: 'Drain host-1' }).getByText('No server is on this host').waitFor();
  await inspect(t, page, 'drain');
  await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
  await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
  await page.getByText('running').first().waitFor();
  await inspect(t, page, 'jobs');
  await page.getByRole('button', { name: 'Cancel the job' }).click();
  await page.getByRole('button', { name: 'Cancel the job' }).waitFor({ state: 'detached' });
});

void t.test('a host is removed only by its name, and what is refused is said', options, async (t) => {
  const { url } = await start(t);
  const browser = await TestBrowser.launch(t);
  const page = await browser.open(t);
  await logInAt(page, `${url}/ui/mesh/hosts/${'1'.repeat(32)}`, 'admin', adminPassword);
  await page.getByRole('button', { name: 'Remove' }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove host-1 from the mesh' });
  t.ok(await dialog.getByRole('button', { name: 'Remove' }).isDisabled());
  await dialog.getByLabel('Type host-1 to confirm').fill('host-1');
  await inspect(t, page, 'remove-host');
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await dialog.getByRole('alert').filter({ hasText: /./u }).waitFor();
});

void t.test('placement: how many more fit, and why', options, async (t) => {
  const { url } = await start(t);
  const browser = await TestBrowser.launch(t);
  const page = await browser.open(t, { scheme: 'dark' });
  await logInAt(page, `${url}/ui/placement`, 'admin', adminPassword);
  await page.getByRole('cell', { name: '7' }).first().waitFor();
  await page.getByText('1 of 2 hosts would take such a server.').waitFor();
  const filters = page.getByRole('list', { name: 'Filters' });
  await filters.getByText('1 of 2 left').waitFor();
  await filters.getByText('1: it has no room').waitFor();
  await page.getByRole('list', { name: 'Hosts by weight' }).getByText('weight 1.50').waitFor();
  await inspect(t, page, 'placement');
});

void t.test('changes are shown as they happen, with nobody asking', options, async (t) => {
  const { url, whole } = await start(t);
  const browser = await TestBrowser.launch(t);
  const page = await browser.open(t);
  const streaming = page.waitForResponse((response) => response.url().includes('/shoal/v1/events'));
  await logInAt(page, `${url}/ui/jobs`, 'admin', adminPassword);
  t.equal((await streaming).status(), 200);
  const made = await whole.cloud.gateway.call('POST', '/networking/v2.0/networks', {
    body: { network: { name: 'n' } },
  });
  const { id } = made.json().network;
  await page.getByText(`network ${id} changed`).waitFor();
  await whole.cloud.gateway.call('DELETE', `/networking/v2.0/networks/${id}`);
  await page.getByText(`network ${id} deleted`).waitFor();
  await inspect(t, page, 'changes');
});

void t.test('the agent answers without a quorum, and the page says so', options, async (t) => {
  const { url, whole } = await start(t);
  const browser = await TestBrowser.launch(t);
  const page = await browser.open(t, { width: 360, height: 720 });
  await logInAt(page, `${url}/ui/mesh`, 'admin', adminPassword);
  await page.getByRole('link', { name: 'host-1, alive' }).waitFor();
  whole.cloud.gateway.state.available = false;
  t.teardown(() => {
    whole.cloud.gateway.state.available = true;
  });
  await page.getByText('No quorum: guests and networks go on').waitFor();
  t.ok(await page.getByRole('link', { name: 'host-1' }).first().isVisible(), 'what is known is still there');
  await inspect(t, page, 'mesh-without-quorum');
  const width = await page.evaluate('document.documentElement.scrollWidth');
  t.equal(width, 360, 'nothing is wider than the screen');
});
