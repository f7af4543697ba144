/** What every compute driver must do with a disk that goes to another place, or gives way to another, while its guest runs. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import type { ComputeDriver, DiskSpec, GuestDisk, GuestSpec, MirrorSteps, StorageDriver } from '../../drivers/types.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId, ServerId, VolumeId } from '../../node/base/ids.ts';
import { mibBytes } from '../../node/base/units.ts';

const host = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' as HostId;
const { signal } = new AbortController();

interface Fixture {
  readonly storage: StorageDriver;
  /** Another storage that the same host reaches. */
  readonly otherStorage: StorageDriver;
  readonly open: () => ComputeDriver;
  readonly newSpec: () => Promise<GuestSpec>;
}

interface Opened {
  readonly storage: StorageDriver;
  readonly spec: DiskSpec;
  readonly disk: GuestDisk;
}

/** Runs the suite; the guests that it starts are its caller's to end, the disks are removed. */
export async function computeMirrorCompliance(t: Test, driver: ComputeDriver, fixture: Fixture): Promise<void> {
  const { storage, otherStorage } = fixture;

  await t.test('a disk goes to another place while its guest runs', async (t) => {
    const { serverId } = await running(driver, fixture);
    const source = await opened(storage, { fill: 0xa1 });
    await driver.attachDisk(serverId, source.disk, signal);
    const target = await opened(otherStorage, { spec: source.spec, fill: 0xff });
    const heard: number[] = [];
    let asked = 0;
    const steps: MirrorSteps = {
      progress: (percent) => heard.push(percent),
      switchOver: async () => {
        asked += 1;
        return true;
      },
    };
    for (let round = 0; round < 2; round += 1) {
      await driver.mirrorDisk(serverId, source.disk.volumeId, target.disk, steps, signal);
    }
    t.equal(asked, 1, 'the caller was asked once');
    t.equal(heard.at(-1), 100);
    t.ok((await disksOf(driver, serverId)).includes(source.disk.volumeId), 'the guest knows it by the same id');
    await t.rejects(driver.cancelMirror(serverId, source.disk.volumeId, target.disk, signal), { code: 'CONFLICT' });
    t.equal(await firstByteOf(source), 0xa1, 'the old source is closed');
    await drop(source);
    await driver.setDiskLimits(serverId, source.disk.volumeId, { iops: 500 }, signal);
    await driver.resizeDisk(serverId, source.disk.volumeId, 6 * mibBytes, signal);
    t.match(await otherStorage.findDisk(source.disk.volumeId, signal), { sizeBytes: 6 * mibBytes });

    // And back again, by the next agent.
    const back = await opened(storage, { spec: { ...source.spec, sizeBytes: 6 * mibBytes }, fill: 0xff });
    const next = fixture.open();
    await driver.stop();
    await next.start(signal);
    await next.mirrorDisk(serverId, source.disk.volumeId, back.disk, going, signal);
    await next.stop();
    await driver.start(signal);
    await driver.stopGuest(serverId, { graceMs: 0 }, signal);
    t.equal(await firstByteOf(target), 0xa1);
    t.equal(await firstByteOf(back), 0xa1);
    await drop(target);
    await drop(back);
  });

  await t.test('a disk that is not to go over stays where it is', async (t) => {
    const { serverId } = await running(driver, fixture);
    const source = await opened(storage, { fill: 0xb2 });
    const { volumeId } = source.disk;
    await driver.attachDisk(serverId, source.disk, signal);
    const target = await opened(otherStorage, { spec: source.spec });
    await driver.cancelMirror(serverId, volumeId, target.disk, signal);
    const staying = { ...going, switchOver: async () => false };
    await t.rejects(driver.mirrorDisk(serverId, volumeId, target.disk, staying, signal), { code: 'CONFLICT' });
    t.type(await firstByteOf(target), 'number', 'the target is closed');
    await driver.resizeDisk(serverId, volumeId, 5 * mibBytes, signal);
    t.match(await storage.findDisk(volumeId, signal), { sizeBytes: 5 * mibBytes }, 'the guest has the old one');
    await t.rejects(
      driver.mirrorDisk(serverId, volumeId, target.disk, going, signal),
      { code: 'CONFLICT' },
      'the target is smaller by now',
    );
    await t.rejects(
      driver.mirrorDisk(serverId, randomUUID() as VolumeId, target.disk, going, signal),
      { code: 'NOT_FOUND' },
      'a disk that it does not have',
    );
    await driver.stopGuest(serverId, { graceMs: 0 }, signal);
    await t.rejects(driver.mirrorDisk(serverId, volumeId, target.disk, going, signal), { code: 'NOT_FOUND' });
    await driver.cancelMirror(serverId, volumeId, target.disk, signal);
    for (const one of [source, target]) await drop(one);
  });

  await t.test('what nobody knows yet waits for the next agent, which goes on with it or ends it', async (t) => {
    for (const isGoing of [true, false]) {
      const { serverId } = await running(driver, fixture);
      const source = await opened(storage, { fill: 0xc3 });
      const { volumeId } = source.disk;
      await driver.attachDisk(serverId, source.disk, signal);
      const target = await opened(otherStorage, { spec: source.spec });
      const unknown: MirrorSteps = {
        ...going,
        switchOver: () => Promise.reject(new ShoalError('OUTCOME_UNKNOWN', 'the records do not answer')),
      };
      await t.rejects(driver.mirrorDisk(serverId, volumeId, target.disk, unknown, signal), { code: 'OUTCOME_UNKNOWN' });
      const next = fixture.open();
      await driver.stop();
      await next.start(signal);
      if (isGoing) await next.mirrorDisk(serverId, volumeId, target.disk, going, signal);
      else await next.cancelMirror(serverId, volumeId, target.disk, signal);
      t.type(await firstByteOf(isGoing ? source : target), 'number', 'the one that it does not use is closed');
      await next.stop();
      await driver.start(signal);
      await driver.stopGuest(serverId, { graceMs: 0 }, signal);
      t.equal(await firstByteOf(isGoing ? target : source), 0xc3);
      for (const one of [source, target]) await drop(one);
    }
  });

  await t.test('a disk gives way to another, which is encrypted and larger', async (t) => {
    const { serverId } = await running(driver, fixture);
    const source = await opened(storage, { fill: 0xd4 });
    const [format] = otherStorage.capabilities.encryption;
    const encryption =
      format === undefined
        ? {}
        : {
            encryption: {
              format,
              cipher: 'aes-xts-plain64',
              keyBits: 512,
              passphrase: randomBytes(32).toString('hex'),
            },
          };
    const other = { ...source.spec, ...encryption, volumeId: randomUUID() as VolumeId, sizeBytes: 8 * mibBytes };
    await driver.attachDisk(serverId, source.disk, signal);
    const before = await disksOf(driver, serverId);
    const target = await opened(otherStorage, { spec: other });
    for (let round = 0; round < 2; round += 1) {
      await driver.mirrorDisk(serverId, source.disk.volumeId, target.disk, going, signal);
    }
    const after = before.map((id) => (id === source.disk.volumeId ? other.volumeId : id));
    t.strictSame(await disksOf(driver, serverId), after.sort());
    await driver.attachDisk(serverId, source.disk, signal);
    t.strictSame(
      await disksOf(driver, serverId),
      [...after, source.disk.volumeId].sort(),
      'the old one is plugged in again',
    );
    await driver.setDiskLimits(serverId, other.volumeId, { iops: 100 }, signal);
    await driver.resizeDisk(serverId, other.volumeId, 9 * mibBytes, signal);
    await driver.stopGuest(serverId, { graceMs: 0 }, signal);
    t.equal(await firstByteOf(target), 0xd4);
    for (const one of [source, target]) await drop(one);
  });
}

const going: MirrorSteps = { progress: () => {}, switchOver: async () => true };

async function running(driver: ComputeDriver, { newSpec }: Fixture): Promise<GuestSpec> {
  const guest = await newSpec();
  await driver.startGuest(guest, signal);
  return guest;
}

async function opened(
  storage: StorageDriver,
  options: { readonly spec?: DiskSpec; readonly fill?: number },
): Promise<Opened> {
  const spec = options.spec ?? { volumeId: randomUUID() as VolumeId, sizeBytes: 4 * mibBytes, generation: 1 };
  await storage.ensureDisk(spec, signal);
  if (options.fill !== undefined) {
    const data = new Uint8Array(mibBytes).fill(options.fill);
    await storage.importDisk(spec, one({ offsetBytes: 0, lengthBytes: data.length, data }), () => {}, signal);
  }
  const source = await storage.openDisk(spec, host, signal);
  const { volumeId, encryption } = spec;
  return { storage, spec, disk: { volumeId, source, ...(encryption === undefined ? {} : { encryption }) } };
}

async function* one<T>(value: T): AsyncGenerator<T> {
  yield value;
}

/** Of a disk that no guest has open. */
async function firstByteOf({ storage, spec }: Opened): Promise<number> {
  const { volumeId, encryption, generation } = spec;
  await storage.closeDisk(volumeId, host, generation, signal);
  const from = { volumeId, ...(encryption === undefined ? {} : { encryption }) };
  const { ranges } = await storage.exportDisk(from, undefined, signal);
  let first = 0;
  for await (const { offsetBytes, data } of ranges) if (offsetBytes === 0) first = data?.[0] ?? 0;
  await storage.openDisk(spec, host, signal);
  return first;
}

async function drop({ storage, spec }: Opened): Promise<void> {
  await storage.closeDisk(spec.volumeId, host, spec.generation, signal);
  await storage.removeDisk(spec.volumeId, signal);
}

async function disksOf(driver: ComputeDriver, serverId: ServerId): Promise<readonly VolumeId[]> {
  return [...((await driver.find(serverId, signal))?.disks ?? [])].sort();
}
