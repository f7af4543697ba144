/** One guest against a scripted monitor. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
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
  answer: (command: Command, say: (value: object) => void, hangUp: () => void) => unknown,
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
        const value = command.execute === 'qmp_capabilities' ? {} : answer(command, say, () => socket.destroy());
        // A monitor that answers later says so itself.
        if (value !== undefined) say({ id: command.id, return: value });
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

await t.test('a reset whose answer comes late is sent once', async (t) => {
  let resets = 0;
  let answerLate = (): void => {};
  const guest = await guestWith(t, ({ execute, id }, say) => {
    if (execute !== 'system_reset') return {};
    resets += 1;
    answerLate = () => say({ id, return: {} });
    return undefined;
  });
  const givesUp = new AbortController();
  const first = guest.reset(givesUp.signal);
  while (resets === 0) await delay(1);
  givesUp.abort();
  await t.rejects(first, { code: 'CANCELLED' });
  const second = guest.reset(signal);
  await delay(20);
  t.equal(resets, 1, 'the second call waits for the answer to the first');
  answerLate();
  await second;
  const third = guest.reset(signal);
  while (resets === 1) await delay(1);
  answerLate();
  await third;
  t.equal(resets, 2, 'a reset that was answered is over');
});

await t.test('an answer that came while nobody waited counts; a connection that ended does not', async (t) => {
  let resets = 0;
  let answerLate = (): void => {};
  let hangUpNow = (): void => {};
  const guest = await guestWith(t, ({ execute, id }, say, hangUp) => {
    if (execute !== 'system_reset') return {};
    resets += 1;
    answerLate = () => say({ id, return: {} });
    hangUpNow = hangUp;
    return undefined;
  });
  const giveUp = async (): Promise<void> => {
    const controller = new AbortController();
    const seen = resets;
    const given = guest.reset(controller.signal);
    while (resets === seen) await delay(1);
    controller.abort();
    await t.rejects(given, { code: 'CANCELLED' });
  };
  await giveUp();
  answerLate();
  await delay(20);
  await guest.reset(signal);
  t.equal(resets, 1);
  await giveUp();
  hangUpNow();
  await delay(20);
  const again = guest.reset(signal);
  while (resets === 2) await delay(1);
  answerLate();
  await again;
  t.equal(resets, 3, 'what became of the one before is not known, and a reboot that was asked for is owed');
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
