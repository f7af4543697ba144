/** Disks and images, as drivers are told of them and find them. */
import type { ImageId, ImageSha256, VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';

/** What QEMU needs to open a disk. Produced by a storage driver, consumed by the compute driver. */
export type DiskSource =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly format: 'qcow2' | 'raw';
      /** The file that lies below it and is only read; absent when there is none. */
      readonly backingPath?: string;
      /** Format of that file; QEMU is told it, and reads it from no header. */
      readonly backingFormat?: 'qcow2' | 'raw';
    }
  | {
      readonly kind: 'rbd';
      readonly pool: string;
      readonly image: string;
      /** Ceph client name without `client.`. */
      readonly user: string;
      /** Path of a ceph.conf that names monitors and keyring. */
      readonly confPath: string;
    }
  | {
      /** A disk of another host, served there by `StorageDriver.serveDisk`. It is read as raw, whatever file it is kept in. */
      readonly kind: 'nbd';
      /** Address of the host that serves it. */
      readonly host: string;
      readonly port: number;
      readonly exportName: string;
      readonly key: NbdKey;
    }
  | { readonly kind: 'fake'; readonly name: string };

/**
 * What a client of an NBD export proves who it is with (TLS with a pre-shared key). A key of its own for each export, and no
 * certificate of the mesh: a guest's QEMU must not hold what its host is known by.
 */
export interface NbdKey {
  readonly user: string;
  /** 32 bytes in lower-case hex. Secret. */
  readonly keyHex: string;
}

/**
 * How a disk's content is encrypted, by QEMU's `luks` driver above every storage alike. Only what is written to the disk itself is: the
 * image below a copy-on-write disk stays as it is.
 */
export interface DiskEncryption {
  /** LUKS version 1: QEMU writes no other. `StorageCapabilities.encryption` says whether a storage can do it. */
  readonly format: 'luks';
  /** `aes-xts-plain64`; AES in XTS mode; `INVALID_ARGUMENT` for any other. */
  readonly cipher: string;
  /** 256 or 512 for XTS, of which each half is a key. */
  readonly keyBits: number;
  /** Secret: never in a log, on a command line or in a file that stays. */
  readonly passphrase: string;
}

/** A disk as records want it. */
export interface DiskSpec {
  readonly volumeId: VolumeId;
  /** Size that the guest sees, bytes; at least the image's virtual size. */
  readonly sizeBytes: number;
  /** Content at the bottom, copy-on-write; absent for an empty disk. */
  readonly imageSha256?: ImageSha256;
  /** The generation of its owner (server, or volume): what the storage lock carries. */
  readonly generation: number;
  /** Encrypted when it is made, and opened so. */
  readonly encryption?: DiskEncryption;
  /** Others may have it open at the same time. `INVALID_ARGUMENT` where `capabilities.multiAttach` is false. */
  readonly shared?: boolean;
  /**
   * Of a guest that comes from another host while it runs. `waiting`: this host's QEMU opens it without a lock, which the other host
   * holds at a lower generation, and writes nothing. `going-on`: the lock is taken, with that QEMU, of this host, watching.
   */
  readonly arrival?: 'waiting' | 'going-on';
  /** What a new, empty disk is made with: swap space or a file system. Not with `imageSha256` or `encryption`. */
  readonly contents?: DiskContents;
}

/** What a blank disk of a server is made with. */
interface DiskContents {
  readonly format: 'swap' | 'ext4' | 'vfat';
  /** Label of the file system, at most 11 characters of A-Z, a-z, 0-9, `-` and `_`. */
  readonly label?: string;
}

/** A disk as found. */
export interface DiskFound {
  readonly volumeId: VolumeId;
  readonly sizeBytes: number;
  /** Bytes really taken, where the storage can say cheaply. */
  readonly usedBytes?: number;
  /** Content at its bottom. */
  readonly imageSha256?: ImageSha256;
  /** Made by an earlier version, above a copy that was named by the image's id; `imageSha256` is absent then. */
  readonly legacyImageId?: ImageId;
}

/** A disk that is served to another host. */
export interface DiskServed {
  readonly volumeId: VolumeId;
  readonly generation: number;
  /** Address of this host, and TCP port, at which it is served. */
  readonly address: string;
  readonly port: number;
}

/** How a disk is served. */
export interface DiskServing {
  /** Who shows this key is let in, and nobody else. */
  readonly key: NbdKey;
  /** Default false: the client may write. */
  readonly readOnly?: boolean;
  /** TCP port at which clients have found it before. It is taken if it is one of the host's for this, and free. */
  readonly port?: number;
}

/** What a copy is made of: a disk as it is now, or as it was at a snapshot. */
export interface DiskOrigin {
  readonly volumeId: VolumeId;
  readonly snapshotId?: VolumeSnapshotId;
  /** How the origin is encrypted; must be given when it is. */
  readonly encryption?: DiskEncryption;
}

/** A part of a disk's content. */
export interface DiskRange {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Exactly `lengthBytes`, at most 1 MiB. Absent: zeros, any length. */
  readonly data?: Uint8Array;
}

/** A disk's content, being read. */
export interface DiskExport {
  /** Size of the disk at that instant. */
  readonly sizeBytes: number;
  /**
   * In order of their offsets, without overlap. Without `sinceSnapshotId` they cover the whole disk; with it, only what
   * differs. Reading ends what serves it; so does leaving the loop early.
   */
  readonly ranges: AsyncIterable<DiskRange>;
}

/** A disk that is on the storage and not Shoal's. */
export interface UnmanagedDisk {
  /** Its name there, of 1 to 200 characters. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Why it cannot be adopted; absent when it can. */
  readonly unfit?: string;
}

/** Told now and then during long work: 0 to 100. */
export type Progress = (percent: number) => void;

/** An image already verified and inspected (drivers/image), present as a local file. */
export interface ImageFile {
  readonly sha256: ImageSha256;
  readonly path: string;
  readonly format: 'qcow2' | 'raw';
  /** Size that a guest would see, bytes. */
  readonly virtualSizeBytes: number;
}
