/**
 * Which user each guest is: a number of its own, kept for as long as the guest is known on this host, so that one broken
 * QEMU can neither open another guest's disk nor talk to its monitor.
 *
 *     RUN/guests/SERVER/user.json   its number, and the files that were given to that user
 *     RUN/next-user.json            where the search for the next free number begins
 *
 * A number is given again only when it has come round the whole range, no guest's folder names it, and no process runs
 * under it. Files are taken back when their guest ends, so that none is left behind under a number.
 */
import { join } from 'node:path';
import { writeFileDurably } from '../../../node/base/durable-file.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ServerId, VolumeId } from '../../../node/base/ids.ts';
import { isRecord } from '../../../node/base/json-value.ts';
import { giveFile, takeFileBack } from '../../file-owner.ts';
import { readJsonFile } from '../../json-file.ts';
import { usersOfProcesses } from '../../process.ts';
import { guestUids, type UidRange } from '../../uid-range.ts';
import type { RunFiles } from './run-files.ts';

interface UserRecord {
  readonly uid: number;
  /** Paths that belong to that user now, and go back to root when the guest has ended. */
  readonly files: readonly string[];
  /** Which of them is which disk's, by its place (disks/plug-folder.ts); not in records of earlier versions. */
  readonly disks: Readonly<Record<string, string>>;
}

/** A disk's file. */
interface DiskFile {
  readonly volumeId: VolumeId;
  readonly path: string;
}

interface PlacedFile {
  readonly place: string;
  readonly path: string;
}

/** See above. Only for an agent that is root. */
export class GuestUsers {
  readonly #files: RunFiles;
  readonly #range: UidRange;
  /** Numbers are given one after another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(files: RunFiles, range: UidRange) {
    this.#files = files;
    this.#range = guestUids(range);
  }

  /** The guest's number; a new one when it has none in this range yet. `UNAVAILABLE` when all are taken. */
  uidOf(serverId: ServerId): Promise<number> {
    const turn = this.#last.then(() => this.#uidOf(serverId));
    this.#last = turn.catch(() => {}); // The failure is its caller's.
    return turn;
  }

  /** Makes these files the guest's own, for it and root alone. What it was given before and is not among them goes back. */
  async give(serverId: ServerId, uid: number, given: readonly DiskFile[]): Promise<void> {
    const before = await this.#read(serverId);
    const files = given.map(({ path }) => path);
    const disks = Object.fromEntries(given.map(({ volumeId, path }) => [volumeId, path]));
    await this.#write(serverId, { uid, files: [...new Set([...files, ...(before?.files ?? [])])], disks });
    for (const path of before?.files ?? []) if (!files.includes(path)) await takeFileBack(path, before?.uid);
    for (const path of files) await giveFile(path, uid);
    await this.#write(serverId, { uid, files, disks });
  }

  /** Makes one disk's file more the guest's own. @param file.place the disk's id, or that of a disk that is there twice. */
  async giveMore(serverId: ServerId, uid: number, { place, path }: PlacedFile): Promise<void> {
    const before = await this.#read(serverId);
    const files = [...new Set([...(before?.files ?? []), path])];
    await this.#write(serverId, { uid, files, disks: { ...before?.disks, [place]: path } });
    await giveFile(path, uid);
  }

  /**
   * Gives back to root what the guest has at the place, and at those that begin with it and a dot: its QEMU has closed it. Nothing
   * there: nothing happens.
   */
  async takeSomeBack(serverId: ServerId, place: string, options: { readonly except?: string } = {}): Promise<void> {
    const record = await this.#read(serverId);
    if (record === undefined) return;
    const isGoing = (name: string): boolean =>
      (name === place || name.startsWith(`${place}.`)) && name !== options.except;
    const going = Object.entries(record.disks).filter(([name]) => isGoing(name));
    if (going.length === 0) return;
    const paths = going.map(([, path]) => path);
    for (const path of paths) await takeFileBack(path, record.uid);
    const disks = Object.fromEntries(Object.entries(record.disks).filter(([name]) => !isGoing(name)));
    await this.#write(serverId, { ...record, files: record.files.filter((file) => !paths.includes(file)), disks });
  }

  /** Gives the guest's files back to root. Its process must be gone. Nothing given is success. */
  async takeBack(serverId: ServerId): Promise<void> {
    const record = await this.#read(serverId);
    if (record === undefined || record.files.length === 0) return;
    for (const path of record.files) await takeFileBack(path, record.uid);
    await this.#write(serverId, { ...record, files: [], disks: {} });
  }

  async #uidOf(serverId: ServerId): Promise<number> {
    const { first, count } = this.#range;
    const known = await this.#read(serverId);
    if (known !== undefined && known.uid >= first && known.uid < first + count) return known.uid;
    const taken = await usersOfProcesses();
    for (const other of await this.#files.servers()) {
      const record = await this.#read(other);
      if (record !== undefined) taken.add(record.uid);
    }
    const start = await this.#readNext();
    for (let step = 0; step < count; step += 1) {
      const uid = first + ((start - first + step) % count);
      if (taken.has(uid)) continue;
      // The place of the next search first: a number that was given in vain only rests until its turn comes again.
      const next = { uid: first + ((uid - first + 1) % count) };
      await writeFileDurably(this.#nextPath(), JSON.stringify(next), { mode: 0o600 });
      await this.#write(serverId, { uid, files: known?.files ?? [], disks: known?.disks ?? {} });
      return uid;
    }
    throw new ShoalError('UNAVAILABLE', `all ${count} user numbers for guests are taken on this host`);
  }

  async #readNext(): Promise<number> {
    const { first, count } = this.#range;
    const value = await readJsonFile(this.#nextPath());
    const uid = isRecord(value) ? value['uid'] : undefined;
    return typeof uid === 'number' && uid >= first && uid < first + count ? uid : first;
  }

  async #read(serverId: ServerId): Promise<UserRecord | undefined> {
    const path = this.#path(serverId);
    const value = await readJsonFile(path);
    if (value === undefined) return undefined;
    const uid = isRecord(value) ? value['uid'] : undefined;
    const files = isRecord(value) ? value['files'] : undefined;
    const disks = isRecord(value) && isRecord(value['disks']) ? Object.entries(value['disks']) : [];
    if (typeof uid === 'number' && Array.isArray(files)) {
      return { uid, files: files.map(String), disks: Object.fromEntries(disks.map(([id, at]) => [id, String(at)])) };
    }
    throw new ShoalError('DRIVER_FAILED', `${path} is not the record of a guest's user`);
  }

  async #write(serverId: ServerId, record: UserRecord): Promise<void> {
    await writeFileDurably(this.#path(serverId), JSON.stringify(record), { mode: 0o600 });
  }

  #path(serverId: ServerId): string {
    return join(this.#files.folder(serverId), 'user.json');
  }

  #nextPath(): string {
    return join(this.#files.runDir, 'next-user.json');
  }
}
