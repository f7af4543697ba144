/** The page around the pages, in a real Chromium: logging in, moving about, what it says when something is wrong. */
import t from 'tap';
import { inspect, logInAt, TestBrowser, whyNoBrowser } from '../../support/web/browser.ts';
import { startPageCloud } from '../../support/web/page-cloud.ts';

const options = { skip: whyNoBrowser, timeout: 240_000 };

void t.test('from the log-in to the pages, and back', options, async (t) => {
  const { url, adminPassword } = await startPageCloud(t);
  const browser = await TestBrowser.launch(t);
  const page = await browser.open(t);
  await page.goto(url);
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  await inspect(t, page, 'log-in');

  await page.getByLabel('User', { exact: true }).fill('admin');
  await page.getByLabel('Password').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByText(/requires authentication|Invalid/u).waitFor();

  await page.getByLabel('Password').fill(adminPassword);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Project admin' }).waitFor();
  await page.getByText('Servers').first().waitFor();
  await inspect(t, page, 'overview');

  const cookies = await page.context().cookies();
  t.same(
    cookies.map(({ name, httpOnly, sameSite, path }) => ({ name, httpOnly, sameSite, path })),
    [{ name: 'shoal-session', httpOnly: true, sameSite: 'Strict', path: '/ui/session' }],
  );
  const kept = await page.evaluate('JSON.stringify({ ...localStorage, ...sessionStorage, cookie: document.cookie })');
  t.equal(kept, '{"cookie":""}', 'no secret is where a script could read it');

  await page.reload();
  await page.getByRole('heading', { name: 'Project admin' }).waitFor();

  await page.goto(`${url}/ui/no/such/page`);
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
  await inspect(t, page, 'not-found');

  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Search by name' }).fill('over');
  await page.getByRole('option', { name: 'Overview' }).waitFor();
  await inspect(t, page, 'search');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Project admin' }).waitFor();

  await page.getByLabel('Theme').selectOption('dark');
  await inspect(t, page, 'overview-dark');

  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
});

void t.test('on a screen of 360 pixels', options, async (t) => {
  const { url, adminPassword } = await startPageCloud(t);
  const browser = await TestBrowser.launch(t);
  const page = await browser.open(t, { width: 360, height: 720 });
  await logInAt(page, url, 'admin', adminPassword);
  await page.getByRole('heading', { name: 'Project admin' }).waitFor();
  const width = await page.evaluate('document.documentElement.scrollWidth');
  t.equal(width, 360, 'nothing is wider than the screen');
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('link', { name: 'Overview' }).waitFor();
  await inspect(t, page, 'narrow');
});

void t.test('a token that is revoked ends the session, and the address stays', options, async (t) => {
  const { url, adminPassword, cloud } = await startPageCloud(t);
  const browser = await TestBrowser.launch(t);
  const page = await browser.open(t);
  await logInAt(page, `${url}/ui/?x=1`, 'admin', adminPassword);
  const answered = page.waitForRequest((request) => request.headers()['x-auth-token'] !== undefined);
  const token = (await answered).headers()['x-auth-token'] ?? '';
  const revoked = await cloud.gateway.call('DELETE', '/identity/v3/auth/tokens', {
    headers: { 'x-subject-token': token },
  });
  t.equal(revoked.statusCode, 204);
  await page.getByText('Your session has ended').waitFor();
  t.equal(new URL(page.url()).search, '?x=1');
});
