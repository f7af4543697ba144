/**
 * The holes of an encrypted disk. What nobody has written is a hole in what the disk is kept as, and noise for who reads it with the key:
 * zeros, deciphered. No guest has put it there, and it is read as zeros, so that backups and copies of a large disk are as small as what is
 * written on it.
 */
import type { NbdClient } from './client.ts';

/** A disk's content, being read. */
export type DiskReader = Pick<NbdClient, 'sizeBytes' | 'extents' | 'read'>;

/**
 * The content as the key shows it, with the holes of what it is kept as.
 * @param readable with the key.
 * @param kept without it: the header, then as many bytes as the disk has.
 */
export function withHolesOf(readable: DiskReader, kept: DiskReader, headerBytes: number): DiskReader {
  return {
    sizeBytes: readable.sizeBytes,
    read: (offsetBytes, lengthBytes) => readable.read(offsetBytes, lengthBytes),
    extents: (offsetBytes, lengthBytes) => kept.extents(headerBytes + offsetBytes, lengthBytes),
  };
}
