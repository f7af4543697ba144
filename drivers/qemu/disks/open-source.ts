/** What a block node is open from, as QEMU itself tells: so that nobody has to remember which of two places a disk is on. */
import { createHash } from 'node:crypto';
import { isRecord } from '../../../node/base/json-value.ts';
import type { DiskSource } from '../../types.ts';

/** Name of the place where a guest sees one of the two that a moving disk has: another for each source. */
export function placeOfSource(volumeId: string, source: DiskSource): string {
  return `${volumeId}.${createHash('sha256').update(identityOf(source)).digest('hex').slice(0, 12)}`;
}

/** Whether the lowest node of a disk, of which QEMU says `file`, is open from this source. */
export function isOpenFrom(file: string | undefined, volumeId: string, source: DiskSource): boolean {
  if (file === undefined) return false;
  switch (source.kind) {
    case 'file':
      return file === source.path || file.endsWith(`/${placeOfSource(volumeId, source)}`);
    case 'rbd': {
      const options = optionsOf(file);
      return options['pool'] === source.pool && options['image'] === source.image;
    }
    case 'nbd': {
      const { host, port, exportName } = source;
      const options = optionsOf(file);
      const server = isRecord(options['server']) ? options['server'] : {};
      // Options of options may stand flat.
      const [atHost, atPort] = [options['server.host'] ?? server['host'], options['server.port'] ?? server['port']];
      const isSaid = atHost === host && atPort === String(port) && options['export'] === exportName;
      return isSaid || file === `nbd://${host}:${port}/${exportName}`;
    }
    case 'fake':
      return false;
  }
}

function identityOf(source: DiskSource): string {
  switch (source.kind) {
    case 'file':
      return `file ${source.path}`;
    case 'rbd':
      return `rbd ${source.pool} ${source.image}`;
    case 'nbd':
      return `nbd ${source.host} ${source.port} ${source.exportName}`;
    case 'fake':
      return `fake ${source.name}`;
  }
}

/** The options that a node without a name for all of them was opened with. */
function optionsOf(file: string): Readonly<Record<string, unknown>> {
  if (!file.startsWith('json:')) return {};
  try {
    const options: unknown = JSON.parse(file.slice('json:'.length));
    return isRecord(options) ? options : {};
  } catch (caught) {
    // QEMU cuts what is longer than its room for it.
    if (caught instanceof SyntaxError) return {};
    throw caught;
  }
}
