/**
 * The page of a real agent with fake drivers, over TLS: from an image on somebody's disk to a server's serial console and screen, the
 * agent's death and its return.
 */
import t from 'tap';
import { buildWeb } from '../../../node/dev/web/build.ts';
import { adminPassword, LoneAgent } from '../../support/lone-agent.ts';
import { inspect, logInAt, TestBrowser, typeFirst, whyNoBrowser } from '../../support/web/browser.ts';

void t.test('an agent serves its page', { skip: whyNoBrowser, timeout: 300_000 }, async (t) => {
  await buildWeb();
  const agent = await LoneAgent.start();
  t.teardown(() => agent.stop());
  const browser = await TestBrowser.launch(t);
  const page = await browser.open(t);
  await logInAt(page, `${agent.apiUrl}/`, 'admin', adminPassword);
  const [cookie] = await page.context().cookies();
  t.equal(cookie?.secure, true, 'the cookie goes over TLS alone');

  await page.getByRole('link', { name: 'Images' }).click();
  await page.getByRole('link', { name: 'Upload image' }).click();
  const buffer = Buffer.alloc(1024 * 1024, 7);
  await page.getByLabel('File').setInputFiles({ name: 'tiny.img', mimeType: 'application/octet-stream', buffer });
  await page.getByRole('button', { name: 'Upload image' }).click();
  await page.getByText('active', { exact: true }).waitFor();

  await page.getByRole('link', { name: 'Servers' }).click();
  await page.getByRole('link', { name: 'Create server' }).click();
  await page.getByLabel('Name', { exact: true }).waitFor();
  await typeFirst(page, 'alone');
  await page.keyboard.press('Enter');
  await page.getByText('ACTIVE').waitFor();
  await page.getByRole('link', { name: 'Console' }).click();
  await page.getByRole('button', { name: 'Open the serial console' }).click();
  const serial = page.frameLocator('iframe[title="Serial console of alone"]');
  await serial.getByText('Connected').waitFor();
  await inspect(t, page, 'console-serial');
  await page.getByRole('button', { name: 'Open the screen' }).click();
  await page.frameLocator('iframe[title="Screen of alone"]').getByRole('status').waitFor();

  await page.getByRole('link', { name: 'Servers' }).click();
  await page.getByRole('link', { name: 'alone' }).waitFor();
  await agent.end('SIGKILL');
  await page.getByText('does not answer').first().waitFor();
  await page.getByRole('link', { name: 'alone' }).waitFor();
  await inspect(t, page, 'agent-gone');
  await agent.run();
  await page.getByText('does not answer').first().waitFor({ state: 'detached' });
});
