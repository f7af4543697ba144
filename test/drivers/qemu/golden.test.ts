/** The arguments of guests of every shape are as they were, and QEMU itself takes them. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { disksComeLater } from '../../../drivers/qemu/arguments.ts';
import { QmpClient } from '../../../drivers/qemu/guest/qmp.ts';
import { whyNoQemu } from '../../support/guests/qemu-host.ts';
import { argumentsOf, pathsIn, shapes } from './golden/shapes.ts';

const run = promisify(execFile);
const folder = join(import.meta.dirname, 'golden');

await t.test('each shape gives the words that stand in its file, one a line', async (t) => {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.txt'));
  t.same(
    files.sort(),
    Object.keys(shapes)
      .map((name) => `${name}.txt`)
      .sort(),
  );
  for (const [name, shape] of Object.entries(shapes)) {
    t.equal(`${argumentsOf(shape, '/r').join('\n')}\n`, await readFile(join(folder, `${name}.txt`), 'utf8'), name);
  }
});

await t.test(
  'QEMU takes them: machine, devices and block nodes',
  { skip: await whyNoQemu(), timeout: 120_000 },
  async (t) => {
    const own = await mkdtemp(join(tmpdir(), 'shoal-golden-'));
    t.teardown(() => rm(own, { recursive: true, force: true }));
    for (const digit of ['a', 'b', 'd'])
      await run('qemu-img', ['create', '-q', '-f', 'qcow2', `${own}/${digit}.qcow2`, '1M']);
    for (const [name, shape] of Object.entries(shapes)) {
      // Large pages and KVM are not on every machine; what they are asked for in is text, above.
      if ((shape.spec.hardware?.pageKib ?? 4) > 4 || shape.accelerator === 'kvm') continue;
      const paths = pathsIn(own);
      if (shape.spec.hardware?.firmware === 'uefi') await copyFile('/usr/share/OVMF/OVMF_VARS_4M.fd', paths.variables);
      const words = argumentsOf(shape, own).map((word) =>
        word.replace(/^tap,id=([^,]+),.*$/, 'user,id=$1,restrict=on').replaceAll('"/r/', `"${own}/`),
      );
      const qemu = spawn('qemu-system-x86_64', words, { stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      qemu.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
      const ended = once(qemu, 'exit');
      try {
        const monitor = await greeted(paths.qmpSocket, () => qemu.exitCode === null);
        t.ok(monitor !== undefined, `${name}: ${said}`);
        if (monitor === undefined) continue;
        const devices = JSON.stringify(await monitor.execute('qom-list', { path: '/machine/peripheral' }));
        const disks = disksComeLater(shape.spec) ? [] : shape.spec.disks;
        for (const { volumeId } of disks) t.match(devices, volumeId, `${name} has its disk`);
        for (const { portId } of shape.spec.nics) t.match(devices, portId, `${name} has its NIC`);
        monitor.close();
      } finally {
        qemu.kill('SIGKILL');
        await ended;
      }
      for (const path of Object.values(paths)) await rm(path, { force: true });
    }
  },
);

/** QEMU's monitor as soon as it answers; undefined when QEMU ends before. */
async function greeted(path: string, lives: () => boolean): Promise<QmpClient | undefined> {
  for (let tries = 0; tries < 1500 && lives(); tries += 1) {
    const monitor = await QmpClient.connect(path).catch(() => undefined);
    if (monitor !== undefined) return monitor;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return undefined;
}
