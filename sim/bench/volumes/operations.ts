/** The operations, each through the API and by hand, so often; one after the other. */
import { gibBytes } from '../../../node/base/units.ts';
import { BareGuest, type BareStorage, bareFiles, bareRbd } from './bare.ts';
import { type BenchCloud, largeImageGib } from './bench-cloud.ts';
import { type Measured, type OperationRow, timed } from './rows.ts';

/** Runs until each of the two hosts has the large image: which one makes a volume is left to chance. */
const hostWarmUps = 8;

interface OperationOptions {
  readonly storage: 'local' | 'ceph';
  readonly runs: number;
  /** Volumes that are asked for side by side. */
  readonly atOnce: number;
  readonly say: (text: string) => void;
}

/** Ids, or names by hand: what the steps of one run are about. */
type Disks = readonly string[];

interface Operation {
  readonly name: string;
  readonly shoal: Measured<Disks>;
  readonly bare: Measured<Disks>;
  /** What was done by hand, for people. */
  readonly bareWords: string;
  /** Default: as often as the others. */
  readonly runs?: number;
}

/** Measures all of them on one storage. What is made goes again. */
export async function* operationRows(cloud: BenchCloud, options: OperationOptions): AsyncGenerator<OperationRow> {
  const bare = await bareStorageOf(cloud, options.storage);
  const guest = await BareGuest.start(cloud.folder, cloud.guestImage.qcow2Path);
  try {
    const all = [...storageOperations(cloud, bare, options), ...guestOperations(cloud, { bare, guest }, options)];
    for (const { name, bareWords, runs = options.runs, ...operation } of all) {
      options.say(`${options.storage}: ${name}`);
      const shoal = await timed(runs, operation.shoal);
      const byHand = await timed(runs, operation.bare);
      const failure = shoal.failure ?? byHand.failure;
      yield {
        storage: options.storage,
        operation: name,
        shoal: shoal.times,
        bare: byHand.times,
        bareCommand: bareWords,
        samples: { shoalMs: shoal.samples, bareMs: byHand.samples },
        failed: shoal.failed + byHand.failed,
        ...(failure === undefined ? {} : { failure }),
      };
    }
  } finally {
    guest.stop();
  }
}

function bareStorageOf(cloud: BenchCloud, storage: 'local' | 'ceph'): Promise<BareStorage> {
  const { rbd, folder, largeImagePath } = cloud;
  const makers = {
    local: () => bareFiles(folder, largeImagePath),
    ceph: () => (rbd === undefined ? Promise.reject(new Error('there is no Ceph')) : bareRbd(rbd, largeImagePath)),
  };
  return makers[storage]();
}

/** Those that are about storage alone. */
function storageOperations(
  { volumes, largeImageId }: BenchCloud,
  bare: BareStorage,
  { storage, atOnce }: OperationOptions,
): readonly Operation[] {
  const ids: string[] = [];
  const making = (draft: Record<string, unknown>, count: number): Measured<Disks> => ({
    prepare: async () => [],
    act: async () => {
      const drafts = Array.from({ length: count }, () => ({ volume_type: storage, name: 'bench', ...draft }));
      ids.push(...(await volumes.makeAll(drafts)));
    },
    undo: async () => {
      await Promise.all(ids.splice(0).map((id) => volumes.remove(id)));
    },
  });
  const byHand = (make: (disk: string) => Promise<void>, count: number): Measured<Disks> => ({
    prepare: async (run) => Array.from({ length: count }, (_, at) => `bare-${run}-${at}`),
    act: async (disks) => {
      for (const disk of disks) await make(disk);
    },
    undo: async (disks) => {
      for (const disk of disks) await bare.remove(disk);
    },
  });
  const create = (disk: string): Promise<void> => bare.create(disk, 1);
  return [
    { name: 'create, empty', shoal: making({ size: 1 }, 1), bare: byHand(create, 1), bareWords: bare.words.create },
    {
      name: `clone of an image of ${largeImageGib} GiB`,
      shoal: { ...making({ size: largeImageGib, imageRef: largeImageId }, 1), warmUps: hostWarmUps },
      bare: byHand((disk) => bare.clone(disk), 1),
      bareWords: bare.words.clone,
    },
    {
      name: `${atOnce} volumes at once`,
      runs: 1,
      shoal: making({ size: 1 }, atOnce),
      bare: byHand(create, atOnce),
      bareWords: `${bare.words.create}, one after the other`,
    },
  ];
}

/** Those that a running guest sees. */
function guestOperations(
  { volumes, serverId }: BenchCloud,
  { bare, guest }: { readonly bare: BareStorage; readonly guest: BareGuest },
  { storage }: OperationOptions,
): readonly Operation[] {
  const make = async (): Promise<Disks> => [await volumes.make({ volume_type: storage, name: 'bench', size: 1 })];
  const attach = (disks: Disks): Promise<void> => each(disks, (id) => volumes.attach(serverId, id));
  const detach = (disks: Disks): Promise<void> => each(disks, (id) => volumes.detach(serverId, id));
  const remove = (disks: Disks): Promise<void> => each(disks, (id) => volumes.remove(id));
  const makeBare = async (run: number): Promise<Disks> => {
    await bare.create(`bare-${run}`, 1);
    return [`bare-${run}`];
  };
  const attachBare = (disks: Disks): Promise<void> => each(disks, (disk) => guest.attach(disk, bare.blockdev(disk)));
  const detachBare = (disks: Disks): Promise<void> => each(disks, (disk) => guest.detach(disk));
  const removeBare = (disks: Disks): Promise<void> => each(disks, (disk) => bare.remove(disk));
  /** Of a volume that is attached, and of a disk that is plugged in by hand. */
  const live = (
    shoal: Pick<Measured<Disks>, 'act'> & { readonly undo?: (disks: Disks) => Promise<void> },
    byHand: Pick<Measured<Disks>, 'act'>,
  ): Pick<Operation, 'shoal' | 'bare'> => ({
    shoal: {
      prepare: () => make().then(after(attach)),
      act: shoal.act,
      undo: async (disks) => {
        await shoal.undo?.(disks);
        await detach(disks);
        await remove(disks);
      },
    },
    bare: {
      prepare: (run) => makeBare(run).then(after(attachBare)),
      act: byHand.act,
      undo: async (disks) => {
        await detachBare(disks);
        await removeBare(disks);
      },
    },
  });
  /** One that has bytes: on a host's own files an empty one gets them when it is first attached. */
  const makeWritten = async (): Promise<Disks> => {
    const disks = await make();
    if (storage === 'local') await attach(disks).then(() => detach(disks));
    return disks;
  };
  const firstAttach: Operation = {
    name: 'attach, the first',
    bareWords: `${bare.words.create}, blockdev-add, device_add`,
    shoal: { prepare: make, act: attach, undo: (disks) => detach(disks).then(() => remove(disks)) },
    bare: {
      prepare: async (run) => [`bare-${run}`],
      act: (disks) => each(disks, (disk) => bare.create(disk, 1)).then(() => attachBare(disks)),
      undo: (disks) => detachBare(disks).then(() => removeBare(disks)),
    },
  };
  const snapshots: string[] = [];
  return [
    ...(storage === 'local' ? [firstAttach] : []),
    {
      name: 'attach',
      bareWords: 'blockdev-add, device_add',
      shoal: { prepare: makeWritten, act: attach, undo: (disks) => detach(disks).then(() => remove(disks)) },
      bare: { prepare: makeBare, act: attachBare, undo: (disks) => detachBare(disks).then(() => removeBare(disks)) },
    },
    {
      name: 'detach',
      bareWords: 'device_del until DEVICE_DELETED, blockdev-del',
      shoal: { prepare: () => make().then(after(attach)), act: detach, undo: remove },
      bare: { prepare: (run) => makeBare(run).then(after(attachBare)), act: detachBare, undo: removeBare },
    },
    {
      name: 'snapshot, live',
      bareWords: bare.words.snapshotOpen,
      ...live(
        {
          act: (disks) => each(disks, async (id) => snapshots.push(await volumes.snapshot(id))),
          undo: () => each(snapshots.splice(0), (id) => volumes.removeSnapshot(id)),
        },
        { act: (disks) => each(disks, (disk) => bare.snapshotOpen(disk, guest)) },
      ),
    },
    {
      name: 'extend, live',
      bareWords: bare.words.resizeOpen,
      ...live(
        { act: (disks) => each(disks, (id) => volumes.extend(id, 2)) },
        { act: (disks) => each(disks, (disk) => bare.resizeOpen(disk, 2 * gibBytes, guest)) },
      ),
    },
  ];
}

async function each(disks: Disks, work: (disk: string) => Promise<unknown>): Promise<void> {
  for (const disk of disks) await work(disk);
}

function after(work: (disks: Disks) => Promise<void>): (disks: Disks) => Promise<Disks> {
  return async (disks) => {
    await work(disks);
    return disks;
  };
}
