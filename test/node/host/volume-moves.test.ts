import t, { type Test } from 'tap';
import type { VolumeId } from '../../../node/base/ids.ts';
import { self, serverId } from './host-world.ts';
import { type VolumeHost, volumeHost } from './volume-host.ts';

/** A volume with content that nobody has attached. */
async function written(host: VolumeHost): Promise<{ readonly id: VolumeId; readonly content: string | undefined }> {
  const { service, context, world } = host;
  const volume = await service.volumes.create(context, { sizeGib: 1 });
  const id = volume.id as VolumeId;
  await service.attachments.plug(context, serverId, { volumeId: id });
  await host.until('it is attached', () => host.volume(id)?.status === 'in-use');
  world.storage.write(id, self, host.volume(id)?.generation ?? 0);
  await service.attachments.unplug(context, serverId, id);
  await host.until('it is free', () => host.volume(id)?.status === 'available');
  return { id, content: world.storage.disks.get(id)?.content };
}

async function move(t: Test, point?: string): Promise<void> {
  const host = await volumeHost(t);
  const { id, content } = await written(host);
  const { hits } = host.killAt(point ?? '');
  await host.service.moves.migrate(host.context, id, 'host-1@fast#fast');
  await host.until(
    'it is moved',
    () => host.volume(id)?.pool === 'fast' && host.volume(id)?.status === 'available' && host.isAtRest,
    () => hits() > 0,
  );
  t.equal(hits() > 0, point !== undefined);
  t.equal(host.fast.disks.get(id)?.content, content);
  t.notOk(host.world.storage.disks.has(id), 'the old bytes are gone');
}

t.test('a volume is moved to another pool, and killed at any point it is in one place in the end', async (t) => {
  await move(t);
  for (const point of ['migrate.copied', 'migrate.switched', 'migrate.cleaned']) {
    await t.test(point, (t) => move(t, point));
  }
});

t.test('a move that is refused leaves the volume where it is, and its owner is told', async (t) => {
  const host = await volumeHost(t);
  const { id, content } = await written(host);
  host.fast.totalBytes = 1;
  await host.service.moves.migrate(host.context, id, 'host-1@fast#fast');
  await host.until('it failed', () => host.volume(id)?.migrationStatus === 'error' && host.isAtRest);
  t.match(host.volume(id), { status: 'available', pool: 'local' });
  t.equal(host.world.storage.disks.get(id)?.content, content);
  t.equal(host.fast.disks.size, 0);
  t.equal(host.service.messages.list(host.context, host.world.state.local).length, 1);
});
