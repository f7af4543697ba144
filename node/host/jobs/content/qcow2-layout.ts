/**
 * Where everything is in a qcow2 image that is written from its first byte to its last, once. Pure. The clusters that hold data
 * are known before; all tables stand before them. QEMU's docs/interop/qcow2.rst, version 3.
 *
 *     header | refcount table | refcount blocks | L1 table | L2 tables | data, in the order of the disk
 */

import type { ClusterSet } from './cluster-set.ts';
import type { SparseFormat } from './sparse-image.ts';

const clusterBits = 16;
/** Bytes of a cluster: QEMU's own default. */
const clusterBytes = 2 ** clusterBits;
const entryBytes = 8;
const entriesPerTable = clusterBytes / entryBytes;
/** Refcounts have 16 bits. */
const refcountBytes = 2;
const refcountsPerBlock = clusterBytes / refcountBytes;
const headerBytes = 104;
const refcountOrder = 4;
/** "This cluster is used once": of L1 and L2 entries. */
const copiedFlag = 1n << 63n;

/** See above. */
export const qcow2Format: SparseFormat = {
  clusterBytes,
  plan(sizeBytes, used) {
    const layout = layoutOf(sizeBytes, used);
    return { fileBytes: layout.clusters * clusterBytes, tables: () => tablesOf(layout, used) };
  },
};

/** Clusters of a disk of that size, the last one whole. */
function clustersOf(sizeBytes: number): number {
  return Math.ceil(sizeBytes / clusterBytes);
}

/** See above. All in clusters, but for the disk's size. */
interface Layout {
  readonly sizeBytes: number;
  readonly refcountTable: number;
  readonly refcountBlocks: number;
  readonly l1Entries: number;
  readonly l1Clusters: number;
  /** Entries of the L1 table whose L2 table is there. */
  readonly l2Tables: readonly number[];
  readonly data: number;
  /** Of the whole file. */
  readonly clusters: number;
}

/** The layout for a disk of `sizeBytes`, of which these clusters hold data. */
function layoutOf(sizeBytes: number, used: ClusterSet): Layout {
  const diskClusters = clustersOf(sizeBytes);
  const l1Entries = Math.max(1, Math.ceil(diskClusters / entriesPerTable));
  const l2Tables: number[] = [];
  for (let entry = 0; entry < l1Entries; entry += 1) {
    const end = Math.min(diskClusters, (entry + 1) * entriesPerTable);
    for (let cluster = entry * entriesPerTable; cluster < end; cluster += 1) {
      if (!used.has(cluster)) continue;
      l2Tables.push(entry);
      break;
    }
  }
  const l1Clusters = Math.ceil((l1Entries * entryBytes) / clusterBytes);
  const others = 1 + l1Clusters + l2Tables.length + used.size;
  // The refcounts count themselves, too.
  let [refcountTable, refcountBlocks] = [1, 1];
  for (;;) {
    const blocks = Math.ceil((others + refcountTable + refcountBlocks) / refcountsPerBlock);
    const table = Math.ceil((blocks * entryBytes) / clusterBytes);
    if (blocks === refcountBlocks && table === refcountTable) break;
    [refcountTable, refcountBlocks] = [table, blocks];
  }
  const clusters = others + refcountTable + refcountBlocks;
  return { sizeBytes, refcountTable, refcountBlocks, l1Entries, l1Clusters, l2Tables, data: used.size, clusters };
}

/** All of the file that stands before the data, a cluster or more at a time. */
function* tablesOf(layout: Layout, used: ClusterSet): Generator<Uint8Array> {
  const { refcountTable, refcountBlocks, l1Clusters, l2Tables, l1Entries } = layout;
  const blocksAt = 1 + refcountTable;
  const l1At = blocksAt + refcountBlocks;
  const l2At = l1At + l1Clusters;
  yield header(layout, l1At);
  yield entries(refcountTable, (at) => (at < refcountBlocks ? offsetOf(blocksAt + at) : 0n));
  yield* refcounts(layout);
  const l2Of = new Map(l2Tables.map((entry, at) => [entry, l2At + at]));
  yield entries(l1Clusters, (at) => {
    const table = at < l1Entries ? l2Of.get(at) : undefined;
    return table === undefined ? 0n : offsetOf(table) | copiedFlag;
  });
  let next = l2At + l2Tables.length;
  for (const entry of l2Tables) {
    yield entries(1, (at) => {
      if (!used.has(entry * entriesPerTable + at)) return 0n;
      const offset = offsetOf(next);
      next += 1;
      return offset | copiedFlag;
    });
  }
}

function offsetOf(cluster: number): bigint {
  return BigInt(cluster) * BigInt(clusterBytes);
}

function header({ sizeBytes, l1Entries, refcountTable }: Layout, l1At: number): Uint8Array {
  const bytes = Buffer.alloc(clusterBytes);
  bytes.write('QFI\xfb', 'latin1');
  bytes.writeUInt32BE(3, 4);
  bytes.writeUInt32BE(clusterBits, 20);
  bytes.writeBigUInt64BE(BigInt(sizeBytes), 24);
  bytes.writeUInt32BE(l1Entries, 36);
  bytes.writeBigUInt64BE(offsetOf(l1At), 40);
  bytes.writeBigUInt64BE(offsetOf(1), 48);
  bytes.writeUInt32BE(refcountTable, 56);
  bytes.writeUInt32BE(refcountOrder, 96);
  bytes.writeUInt32BE(headerBytes, 100);
  return bytes;
}

function entries(clusters: number, of: (at: number) => bigint): Uint8Array {
  const bytes = Buffer.alloc(clusters * clusterBytes);
  for (let at = 0; at < clusters * entriesPerTable; at += 1) {
    const value = of(at);
    if (value !== 0n) bytes.writeBigUInt64BE(value, at * entryBytes);
  }
  return bytes;
}

/** One for each cluster of the file. */
function* refcounts({ refcountBlocks, clusters }: Layout): Generator<Uint8Array> {
  for (let block = 0; block < refcountBlocks; block += 1) {
    const bytes = Buffer.alloc(clusterBytes);
    const count = Math.min(refcountsPerBlock, clusters - block * refcountsPerBlock);
    for (let at = 0; at < count; at += 1) bytes.writeUInt16BE(1, at * refcountBytes);
    yield bytes;
  }
}
