/**
 * Where everything is in a VDI image of VirtualBox whose size follows what it holds, written from its first byte to its last, once.
 * Pure. VirtualBox's VDICore.h, version 1.1.
 *
 *     header | block map | data, in the order of the disk
 */
import { mibBytes } from '../../../base/units.ts';
import type { ClusterSet } from './cluster-set.ts';
import type { SparseFormat } from './sparse-image.ts';

/** The one size of blocks that QEMU reads. */
const blockBytes = mibBytes;
const sectorBytes = 512;
const entryBytes = 4;
const unallocated = 0xffffffff;
const dynamicType = 1;

/** @param uuid of the image, 16 bytes, not all zero. */
export function vdiFormat(uuid: Uint8Array): SparseFormat {
  return {
    clusterBytes: blockBytes,
    plan(sizeBytes, used) {
      const blocks = Math.ceil(sizeBytes / blockBytes);
      const mapBytes = Math.ceil((blocks * entryBytes) / sectorBytes) * sectorBytes;
      const dataAt = sectorBytes + mapBytes;
      return {
        fileBytes: dataAt + used.size * blockBytes,
        *tables() {
          yield header({ sizeBytes, blocks, dataAt, allocated: used.size, uuid });
          yield blockMap(blocks, mapBytes, used);
        },
      };
    },
  };
}

interface HeaderFacts {
  readonly sizeBytes: number;
  readonly blocks: number;
  readonly dataAt: number;
  readonly allocated: number;
  readonly uuid: Uint8Array;
}

function header({ sizeBytes, blocks, dataAt, allocated, uuid }: HeaderFacts): Uint8Array {
  const bytes = Buffer.alloc(sectorBytes);
  bytes.write('<<< Oracle VM VirtualBox Disk Image >>>\n', 'latin1');
  bytes.writeUInt32LE(0xbeda107f, 0x40);
  bytes.writeUInt32LE(0x00010001, 0x44);
  // Bytes of the header from here on.
  bytes.writeUInt32LE(0x190, 0x48);
  bytes.writeUInt32LE(dynamicType, 0x4c);
  bytes.writeUInt32LE(sectorBytes, 0x154);
  bytes.writeUInt32LE(dataAt, 0x158);
  bytes.writeUInt32LE(sectorBytes, 0x168);
  bytes.writeBigUInt64LE(BigInt(sizeBytes), 0x170);
  bytes.writeUInt32LE(blockBytes, 0x178);
  bytes.writeUInt32LE(blocks, 0x180);
  bytes.writeUInt32LE(allocated, 0x184);
  // Of the image and of its last change.
  bytes.set(uuid, 0x188);
  bytes.set(uuid, 0x198);
  return bytes;
}

function blockMap(blocks: number, mapBytes: number, used: ClusterSet): Uint8Array {
  const bytes = Buffer.alloc(mapBytes);
  let next = 0;
  for (let block = 0; block < blocks; block += 1) {
    const isUsed = used.has(block);
    bytes.writeUInt32LE(isUsed ? next : unallocated, block * entryBytes);
    if (isUsed) next += 1;
  }
  return bytes;
}
