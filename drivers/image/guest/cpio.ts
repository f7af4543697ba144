/** Writes an initramfs: the "newc" archive that the kernel unpacks (Documentation/driver-api/early-userspace). Pure. */

/** One thing in the archive. Parents come before their children. */
export interface CpioEntry {
  /** Without a leading slash. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  /** Absent: a folder. */
  readonly content?: Uint8Array;
}

const folderType = 0o040000;
const fileType = 0o100000;

/** The archive: every owner is root and every time is zero, so that the same entries give the same bytes. */
export function cpioArchive(entries: readonly CpioEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  entries.forEach((entry, index) => {
    const isFolder = entry.content === undefined;
    const mode = (isFolder ? folderType : fileType) | entry.mode;
    parts.push(
      ...record({ path: entry.path, inode: index + 1, mode, links: isFolder ? 2 : 1, content: entry.content }),
    );
  });
  parts.push(...record({ path: 'TRAILER!!!', inode: 0, mode: 0, links: 1, content: undefined }));
  return Buffer.concat(parts);
}

function record(file: {
  readonly path: string;
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly content: Uint8Array | undefined;
}): Uint8Array[] {
  const name = Buffer.from(`${file.path}\0`);
  const content = file.content ?? new Uint8Array();
  // inode, mode, uid, gid, links, mtime, size, device numbers (four), name's length, checksum (unused).
  const fields = [file.inode, file.mode, 0, 0, file.links, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return [padded(Buffer.concat([header, name])), padded(content)];
}

function padded(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length % 4;
  return rest === 0 ? bytes : Buffer.concat([bytes, new Uint8Array(4 - rest)]);
}
