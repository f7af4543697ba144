/**
 * Where everything is in a VMDK image of one file, "monolithicSparse", written from its first byte to its last, once. Pure. VMware's
 * Virtual Disk Format 1.1.
 *
 *     header | description | directory and tables, twice | data, in the order of the disk
 */
import type { ClusterSet } from './cluster-set.ts';
import type { SparseFormat } from './sparse-image.ts';

const sectorBytes = 512;
/** Of a grain: VMware's and QEMU's own default, 64 KiB. */
const grainSectors = 128;
const grainBytes = grainSectors * sectorBytes;
const descriptionAt = 1;
const descriptionSectors = 20;
const entriesPerTable = 512;
const entryBytes = 4;
const tableSectors = (entriesPerTable * entryBytes) / sectorBytes;
/** Line ends can be told to be whole, and there are two directories. */
const flags = 3;
/** What a guest of old takes the disk for. */
const [heads, sectorsPerTrack] = [16, 63] as const;

/** In sectors. */
interface Layout {
  readonly capacity: number;
  readonly tables: number;
  readonly directorySectors: number;
  readonly spareAt: number;
  readonly directoryAt: number;
  readonly dataAt: number;
}

/** @param contentId any number of 32 bits but the highest, which means that there is no parent. */
export function vmdkFormat(contentId: number): SparseFormat {
  return {
    clusterBytes: grainBytes,
    plan(sizeBytes, used) {
      const layout = layoutOf(sizeBytes);
      return {
        fileBytes: layout.dataAt * sectorBytes + used.size * grainBytes,
        *tables() {
          yield header(layout);
          yield description(layout, contentId);
          yield* directory(layout, layout.spareAt, used);
          yield* directory(layout, layout.directoryAt, used);
          const endAt = layout.directoryAt + layout.directorySectors + layout.tables * tableSectors;
          yield new Uint8Array((layout.dataAt - endAt) * sectorBytes);
        },
      };
    },
  };
}

function layoutOf(sizeBytes: number): Layout {
  const capacity = Math.ceil(sizeBytes / sectorBytes);
  const tables = Math.ceil(Math.ceil(capacity / grainSectors) / entriesPerTable);
  const directorySectors = Math.ceil((tables * entryBytes) / sectorBytes);
  const sectors = directorySectors + tables * tableSectors;
  const spareAt = descriptionAt + descriptionSectors;
  const directoryAt = spareAt + sectors;
  const dataAt = Math.ceil((directoryAt + sectors) / grainSectors) * grainSectors;
  return { capacity, tables, directorySectors, spareAt, directoryAt, dataAt };
}

function header({ capacity, spareAt, directoryAt, dataAt }: Layout): Uint8Array {
  const bytes = Buffer.alloc(sectorBytes);
  bytes.write('KDMV', 'latin1');
  bytes.writeUInt32LE(1, 4);
  bytes.writeUInt32LE(flags, 8);
  bytes.writeBigUInt64LE(BigInt(capacity), 12);
  bytes.writeBigUInt64LE(BigInt(grainSectors), 20);
  bytes.writeBigUInt64LE(BigInt(descriptionAt), 28);
  bytes.writeBigUInt64LE(BigInt(descriptionSectors), 36);
  bytes.writeUInt32LE(entriesPerTable, 44);
  bytes.writeBigUInt64LE(BigInt(spareAt), 48);
  bytes.writeBigUInt64LE(BigInt(directoryAt), 56);
  bytes.writeBigUInt64LE(BigInt(dataAt), 64);
  bytes.write('\n \r\n', 73, 'latin1');
  return bytes;
}

function description({ capacity }: Layout, contentId: number): Uint8Array {
  const bytes = Buffer.alloc(descriptionSectors * sectorBytes);
  const cylinders = Math.ceil(capacity / (heads * sectorsPerTrack));
  const lines = [
    '# Disk DescriptorFile',
    'version=1',
    `CID=${contentId.toString(16).padStart(8, '0')}`,
    'parentCID=ffffffff',
    'createType="monolithicSparse"',
    '',
    '# Extent description',
    `RW ${capacity} SPARSE "image.vmdk"`,
    '',
    '# The Disk Data Base',
    '#DDB',
    '',
    'ddb.virtualHWVersion = "4"',
    `ddb.geometry.cylinders = "${cylinders}"`,
    `ddb.geometry.heads = "${heads}"`,
    `ddb.geometry.sectors = "${sectorsPerTrack}"`,
    'ddb.adapterType = "ide"',
    '',
  ];
  bytes.write(lines.join('\n'), 'latin1');
  return bytes;
}

/** A directory that begins at this sector, and its tables behind it. */
function* directory({ tables, directorySectors, dataAt }: Layout, at: number, used: ClusterSet): Generator<Uint8Array> {
  const bytes = Buffer.alloc(directorySectors * sectorBytes);
  for (let table = 0; table < tables; table += 1) {
    bytes.writeUInt32LE(at + directorySectors + table * tableSectors, table * entryBytes);
  }
  yield bytes;
  let next = dataAt;
  for (let table = 0; table < tables; table += 1) {
    const entries = Buffer.alloc(tableSectors * sectorBytes);
    for (let entry = 0; entry < entriesPerTable; entry += 1) {
      if (!used.has(table * entriesPerTable + entry)) continue;
      entries.writeUInt32LE(next, entry * entryBytes);
      next += grainSectors;
    }
    yield entries;
  }
}
