/** api 25: who may log in to the demo guest as `npm start` boots it, seen with a real ssh client and on its console. */
import { mkdtemp, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { QemuDriver } from '../../../drivers/qemu/driver.ts';
import type { ServerId } from '../../../node/base/ids.ts';
import { makeGuestNetwork } from '../../support/guest-network.ts';
import { bootTimeoutMs, guestImageOrReason, waitForReport } from '../../support/guests/guest-image.ts';
import { whyNoQemu } from '../../support/guests/qemu-host.ts';
import { enterOwnNetwork } from '../../support/network-namespace.ts';
import { whyNoProgram } from '../../support/programs.ts';
import { makeSshKey, ssh } from '../../support/ssh.ts';

const lack = (await whyNoQemu()) || (await whyNoProgram('dnsmasq', 'ip', 'unshare', 'ssh', 'ssh-keygen'));
const image = lack === false ? await guestImageOrReason({ isOpen: false }) : lack;
if (typeof image !== 'string') await enterOwnNetwork(import.meta.filename, 360_000);
const { default: t } = await import('tap');

t.setTimeout(360_000);
await t.test(
  'a login into the demo guest',
  { skip: typeof image === 'string' ? image : false, timeout: 360_000 },
  async (t) => {
    if (typeof image === 'string') return;
    const { signal } = new AbortController();
    const { driver, spec, answers, address, folder } = await makeGuestNetwork(t, image, 'login');
    const { serverId } = spec;
    const keyPath = await makeSshKey(folder, 'mine');
    const otherPath = await makeSshKey(folder, 'others');
    const publicKey = await readFile(`${keyPath}.pub`, 'utf8');
    const about = {
      uuid: serverId,
      hostname: 'login.novalocal',
      // Only what stands in "public_keys" logs in, whatever it is called.
      meta: { public_keys: await readFile(`${otherPath}.pub`, 'utf8') },
      public_keys: { 'a "key" }': publicKey },
    };
    answers['/openstack/latest/meta_data.json'] = JSON.stringify(about);
    const login = { folder, address };
    let boots = 0;
    const boot = async (): Promise<void> => {
      boots += 1;
      await driver.stopGuest(serverId, { graceMs: 30_000 }, signal);
      await driver.startGuest({ ...spec, generation: boots }, signal);
      await waitForReport(driver, serverId, 'ready', boots);
    };
    await boot();

    await t.test('root, debian and demo log in with the key', async (t) => {
      t.match(await waitForReport(driver, serverId, 'accounts'), [
        { keys: '1', demo_password: 'none', ssh_passwords: 'off' },
      ]);
      for (const [user, uid] of [
        ['root', '0'],
        ['debian', '1000'],
        ['demo', '1001'],
      ] as const) {
        const result = await ssh({ ...login, user, keyPath }, 'echo $(id -u) $(hostname) $HOME; sudo id -u');
        t.match(result, { stdout: new RegExp(`^${uid} login /(root|home/${user})\n`) }, user);
        if (user === 'root') t.equal(result.status, 0);
        else t.match(result, { status: 1, stderr: /log in as root/ }, `${user} does not become root`);
      }
    });

    await t.test('nobody else does, and nobody with a password', async (t) => {
      for (const user of ['root', 'debian', 'demo', 'nobody']) {
        t.match(await ssh({ ...login, user, keyPath: otherPath }, 'id'), {
          status: 255,
          stdout: '',
          stderr: /Permission denied \(publickey\)/,
        });
        t.match(await ssh({ ...login, user, password: '' }, 'id'), {
          status: 255,
          stdout: '',
          stderr: /Permission denied \(publickey\)/,
        });
      }
    });

    await t.test('a login at its console or its web server is not root', async (t) => {
      t.match(await onConsole(driver, serverId, ['root', 'root']), /login: [\s\S]*Login incorrect/);
      const run = await fetch(`http://${address}/cgi-bin/run`, { method: 'POST', body: 'id' });
      t.equal(run.status, 404);
      await run.body?.cancel();
    });

    await t.test('its host key is the same after a reboot, and not the key of a copy of its disk', async (t) => {
      const hostKey = async (): Promise<string> => readFile(join(folder, 'known_hosts'), 'utf8');
      const before = await hostKey();
      await boot();
      t.match(await ssh({ ...login, user: 'root', keyPath }, 'ls /mnt/state/ssh'), { status: 0, stdout: serverId });
      t.equal(await hostKey(), before);
      answers['/openstack/latest/meta_data.json'] = JSON.stringify({
        ...about,
        uuid: '00000000-0000-4000-8000-00000000c0b1',
      });
      await boot();
      t.match(await ssh({ ...login, user: 'root', keyPath }, 'id'), {
        status: 255,
        stderr: /HOST IDENTIFICATION HAS CHANGED/,
      });
    });

    await t.test('user data may give demo a password: for the console, and for SSH when it says so', async (t) => {
      answers['/openstack/latest/meta_data.json'] = JSON.stringify({ uuid: serverId, hostname: 'login' });
      const password = 'let $(me) in';
      answers['/openstack/latest/user_data'] = `#cloud-config\npassword: "${password}"\n`;
      await boot();
      const other = { ...login, folder: await copyOf(folder) };
      t.match(await onConsole(driver, serverId, ['demo', password, 'id -u']), /\n1001\r/);
      t.match(await onConsole(driver, serverId, ['exit', 'root', password]), /Login incorrect/);
      t.match(await ssh({ ...other, user: 'demo', password }, 'id -u'), { status: 255 }, 'not over SSH');
      t.match(await ssh({ ...other, user: 'demo', keyPath }, 'id -u'), { status: 255 }, 'the key is gone');

      answers['/openstack/latest/user_data'] += 'ssh_pwauth: true\n';
      await boot();
      const again = { ...login, folder: await copyOf(folder) };
      t.match(await ssh({ ...again, user: 'demo', password }, 'id -u'), { status: 0, stdout: '1001\n' });
      t.match(await ssh({ ...again, user: 'demo', password: 'wrong' }, 'id -u'), { status: 255 });
      t.match(await ssh({ ...again, user: 'root', password }, 'id -u'), { status: 255 });
    });
  },
);

/** A folder beside the first that has seen no host key. */
async function copyOf(folder: string): Promise<string> {
  return mkdtemp(join(folder, 'client-'));
}

/** Types lines on the serial console, each once there is a prompt; what the guest wrote. Ends at the prompt after the last. */
async function onConsole(driver: QemuDriver, serverId: ServerId, lines: readonly string[]): Promise<string> {
  const socket = connect(driver.consoleSockets(serverId).serial);
  let text = '';
  socket.on('data', (data) => {
    text += data.toString('latin1');
  });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    for (const line of ['', ...lines]) {
      const from = text.length;
      socket.write(`${line}\n`);
      const deadline = performance.now() + bootTimeoutMs;
      // After its prompt the shell asks where the cursor is.
      while (!/(login: |Password: |[$#] )$/.test(text.slice(from).replaceAll('\u001b[6n', ''))) {
        if (performance.now() > deadline) throw new Error(`no prompt after "${line}": ${text}`);
        await delay(50);
      }
    }
    return text;
  } finally {
    socket.destroy();
  }
}
