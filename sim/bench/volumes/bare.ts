/**
 * The same operations by hand: `qemu-img` and `rbd` at the storage, QMP at a QEMU of our own with the same guest. What is left
 * when these are taken away is Shoal's own share.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand } from '../../../drivers/command.ts';
import { QmpClient, type QmpEvent } from '../../../drivers/qemu/guest/qmp.ts';

/** Longest wait for a guest that boots, and for one that lets go of a disk. Unit: ms. */
const guestMsMax = 120_000;

/** Disks of one kind of storage, made by hand. */
export interface BareStorage {
  create(disk: string, sizeGib: number): Promise<void>;
  /** Copy-on-write of the large image. */
  clone(disk: string): Promise<void>;
  /** Of a disk that a guest has open, which goes with the disk. */
  snapshotOpen(disk: string, guest: BareGuest): Promise<void>;
  resizeOpen(disk: string, sizeBytes: number, guest: BareGuest): Promise<void>;
  remove(disk: string): Promise<void>;
  /** What `blockdev-add` is told, without the node's name. */
  blockdev(disk: string): Readonly<Record<string, unknown>>;
  /** The commands, for people. */
  readonly words: Readonly<Record<'create' | 'clone' | 'snapshotOpen' | 'resizeOpen', string>>;
}

/** qcow2 files in a folder. */
export async function bareFiles(folder: string, largeImagePath: string): Promise<BareStorage> {
  const disks = join(folder, 'bare-disks');
  await mkdir(disks, { recursive: true });
  const at = (disk: string): string => join(disks, `${disk}.qcow2`);
  const create = async (...words: string[]): Promise<void> => {
    await runCommand(['qemu-img', 'create', '-q', '-f', 'qcow2', ...words]);
  };
  return {
    words: {
      create: 'qemu-img create',
      clone: 'qemu-img create -b',
      snapshotOpen: 'blockdev-snapshot-internal-sync',
      resizeOpen: 'block_resize',
    },
    create: (disk, sizeGib) => create(at(disk), `${sizeGib}G`),
    clone: (disk) => create('-b', largeImagePath, '-F', 'qcow2', at(disk)),
    snapshotOpen: (disk, guest) => guest.snapshotInside(disk, 'bench'),
    resizeOpen: (disk, sizeBytes, guest) => guest.resize(disk, sizeBytes),
    remove: (disk) => rm(at(disk), { force: true }),
    blockdev: (disk) => ({ driver: 'qcow2', file: { driver: 'file', filename: at(disk) } }),
  };
}

/** RBD images, as the given client. */
export async function bareRbd(
  { words, pool }: { readonly words: readonly string[]; readonly pool: string },
  largeImagePath: string,
): Promise<BareStorage> {
  const rbd = async (...more: string[]): Promise<void> => {
    await runCommand([...words, ...more], { timeoutMs: 120_000 });
  };
  const [conf = '', user = ''] = [words[words.indexOf('--conf') + 1], words[words.indexOf('--id') + 1]];
  const parent = `${pool}/bare-image`;
  const target = `rbd:${parent}:id=${user}:conf=${conf}`;
  await runCommand(['qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', largeImagePath, target], { timeoutMs: 240_000 });
  await rbd('snap', 'create', '--no-progress', `${parent}@base`);
  return {
    words: {
      create: 'rbd create',
      clone: 'rbd clone',
      snapshotOpen: 'rbd snap create',
      resizeOpen: 'block_resize',
    },
    create: (disk, sizeGib) => rbd('create', '--size', `${sizeGib}G`, `${pool}/${disk}`),
    clone: (disk) => rbd('clone', '--rbd-default-clone-format', '2', `${parent}@base`, `${pool}/${disk}`),
    snapshotOpen: (disk) => rbd('snap', 'create', '--no-progress', `${pool}/${disk}@bench`),
    resizeOpen: (disk, sizeBytes, guest) => guest.resize(disk, sizeBytes),
    async remove(disk) {
      await rbd('snap', 'purge', '--no-progress', `${pool}/${disk}`);
      await rbd('rm', '--no-progress', `${pool}/${disk}`);
    },
    blockdev: (disk) => ({ driver: 'raw', file: { driver: 'rbd', pool, image: disk, conf, user } }),
  };
}

/** A QEMU with the demo guest, whose monitor is ours. */
export class BareGuest {
  readonly #process: ChildProcess;
  readonly #qmp: QmpClient;
  readonly #deleted: Set<string>;

  private constructor(process: ChildProcess, qmp: QmpClient, deleted: Set<string>) {
    this.#process = process;
    this.#qmp = qmp;
    this.#deleted = deleted;
  }

  /** Boots it; its disk stays as it is. Throws when it is not up in two minutes. */
  static async start(folder: string, imagePath: string): Promise<BareGuest> {
    const socket = join(folder, 'bare.qmp');
    const consolePath = join(folder, 'bare.console');
    // What the guest of another storage has left says nothing of this one.
    for (const path of [socket, consolePath]) await rm(path, { force: true });
    const words = ['-machine', 'pc', '-accel', 'tcg', '-m', '96', '-nodefaults', '-nographic', '-snapshot'];
    words.push('-drive', `file=${imagePath},if=virtio,format=qcow2`, '-serial', `file:${consolePath}`);
    words.push('-qmp', `unix:${socket},server=on,wait=off`);
    const process = spawn('qemu-system-x86_64', words, { stdio: 'ignore' });
    try {
      const untilMs = Date.now() + guestMsMax;
      for (;;) {
        const { stdout } = await runCommand(['grep', '-c', '@@ ready', consolePath], { okStatus: [0, 1, 2] });
        if (Number(stdout) > 0) break;
        if (Date.now() > untilMs || process.exitCode !== null) throw new Error('the bare guest does not come up');
        await delay(200);
      }
      const deleted = new Set<string>();
      const onEvent = ({ name, data }: QmpEvent): void => {
        if (name === 'DEVICE_DELETED' && typeof data['device'] === 'string') deleted.add(data['device']);
      };
      return new BareGuest(process, await QmpClient.connect(socket, { onEvent }), deleted);
    } catch (caught) {
      process.kill('SIGKILL');
      throw caught;
    }
  }

  async attach(name: string, blockdev: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#qmp.execute('blockdev-add', { ...blockdev, 'node-name': name });
    await this.#qmp.execute('device_add', { driver: 'virtio-blk-pci', id: `d-${name}`, drive: name });
  }

  /** Returns when the guest has let go of it. */
  async detach(name: string): Promise<void> {
    const device = `d-${name}`;
    await this.#qmp.execute('device_del', { id: device });
    const untilMs = Date.now() + guestMsMax;
    while (!this.#deleted.has(device)) {
      if (Date.now() > untilMs) throw new Error('the bare guest does not let go of a disk');
      await delay(5);
    }
    this.#deleted.delete(device);
    await this.#qmp.execute('blockdev-del', { 'node-name': name });
  }

  async resize(name: string, sizeBytes: number): Promise<void> {
    await this.#qmp.execute('block_resize', { 'node-name': name, size: sizeBytes });
  }

  /** A snapshot within the file of an open disk. */
  async snapshotInside(name: string, snapshot: string): Promise<void> {
    await this.#qmp.execute('blockdev-snapshot-internal-sync', { device: name, name: snapshot });
  }

  stop(): void {
    this.#qmp.close();
    this.#process.kill('SIGKILL');
  }
}
