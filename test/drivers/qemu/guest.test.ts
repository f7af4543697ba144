/** One guest against a scripted monitor. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { identify } from '../../../drivers/process.ts';
import { diskDeviceId } from '../../../drivers/qemu/disks/disk-nodes.ts';
import { unplugDisk } from '../../../drivers/qemu/disks/guest-disks.ts';
import { QemuGuest } from '../../../drivers/qemu/guest/guest.ts';
import type { ServerId, VolumeId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';

const volumeId = '11111111-2222-4333-8444-555555555555' as VolumeId;
const signal = new AbortController().signal;

interface Command {
  readonly execute: string;
  readonly id: number;
}

/** A guest whose monitor answers so. */
async function guestWith(
  t: { teardown: (fn: () => unknown) => void },
  answer: (command: Command, say: (value: object) => void) => unknown,
): Promise<QemuGuest> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-guest-'));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const say = (value: object): void => void socket.write(`${JSON.stringify(value)}\r\n`);
    say({ QMP: {} });
    socket.on('error', () => {});
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      for (const line of chunk.split('\n')) {
        if (line === '') continue;
        const command = JSON.parse(line) as Command;
        say({ id: command.id, return: command.execute === 'qmp_capabilities' ? {} : answer(command, say) });
      }
    });
  });
  const qmpSocket = join(folder, 'qmp');
  await new Promise<void>((resolve) => server.listen(qmpSocket, resolve));
  const identity = await identify(process.pid);
  if (identity === undefined) throw new Error('this process is not found');
  const known = { serverId: 's' as ServerId, generation: 1, identity, qmpSocket };
  const guest = new QemuGuest({ log: silentLogger, report: () => {} }, known);
  t.teardown(async () => {
    guest.detach();
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  return guest;
}

await t.test('who waits for an event is woken by it, and by the end of the pause without it', async (t) => {
  const guest = await guestWith(t, (_command, say) => {
    say({ event: 'DEVICE_DELETED', data: { device: 'x' } });
    return {};
  });
  await guest.attach();
  const heard = guest.eventOrPause('DEVICE_DELETED', 3_600_000);
  await guest.execute('anything');
  await heard;
  await guest.eventOrPause('DEVICE_DELETED', 1);
});

await t.test('a disk is unplugged as soon as QEMU tells that the guest has let go', async (t) => {
  let isThere = true;
  let looks = 0;
  const guest = await guestWith(t, ({ execute }, say) => {
    if (execute === 'device_del') {
      setTimeout(() => {
        isThere = false;
        say({ event: 'DEVICE_DELETED', data: { device: diskDeviceId(volumeId) } });
      }, 20);
    }
    if (execute !== 'qom-list') return execute.startsWith('query') ? [] : {};
    looks += 1;
    return isThere ? [{ name: diskDeviceId(volumeId) }] : [];
  });

  await unplugDisk(guest, volumeId, signal);
  t.notOk(isThere);
  t.ok(looks >= 3, 'before, after the request, and after the word');
});
