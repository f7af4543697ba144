/** A volume as the pages read it, and what can be done to one. */
import { ask } from '../../kit/api.ts';
import { texts } from '../../kit/texts.ts';
import type { FieldSpec, Values } from '../../parts/fields-dialog.tsx';

/** See above. Sizes in GiB. */
export interface Volume {
  readonly id: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly status: string;
  readonly size: number;
  readonly volume_type: string | null;
  readonly bootable: string;
  readonly encrypted: boolean;
  readonly created_at: string;
  readonly snapshot_id: string | null;
  readonly source_volid: string | null;
  readonly attachments: readonly { readonly server_id: string; readonly device: string | null }[];
}

interface VolumeDeed {
  readonly label: string;
  readonly fields: (volume: Volume) => readonly FieldSpec[];
  readonly run: (volume: Volume, values: Values) => Promise<unknown>;
  readonly isFor: (volume: Volume) => boolean;
}

/** Nobody uses it, and nothing is under way with it. */
export function isFree({ status }: Volume): boolean {
  return status === 'available' || status.startsWith('error');
}

/** Words for who is asked whether it may go. */
export function lossesOfVolume({ name, id, size }: Volume): readonly string[] {
  return [texts.volumes.loss(name || id, size)];
}

const isUsable = ({ status }: Volume): boolean => status === 'available' || status === 'in-use';
const words = texts.volumes;
const nameField: FieldSpec = { key: 'name', label: texts.name, kind: 'text' };

/** What the buttons beside a volume do. */
export const volumeDeeds: readonly VolumeDeed[] = [
  {
    label: words.extend,
    isFor: isUsable,
    fields: ({ size }) => [{ key: 'size', label: words.newSize, kind: 'number', initial: String(size + 1) }],
    run: ({ id }, values) =>
      ask('POST', `/volume/v3/volumes/${id}/action`, {
        body: { 'os-extend': { new_size: Number(values.get('size')) } },
      }),
  },
  {
    label: words.snapshot,
    isFor: isUsable,
    fields: () => [nameField],
    run: ({ id }, values) =>
      ask('POST', '/volume/v3/snapshots', {
        body: { snapshot: { volume_id: id, name: values.get('name'), force: true } },
      }),
  },
  {
    label: words.backup,
    isFor: isUsable,
    fields: () => [nameField, { key: 'incremental', label: words.incremental, kind: 'check' }],
    run: ({ id }, values) =>
      ask('POST', '/volume/v3/backups', {
        body: {
          backup: {
            volume_id: id,
            name: values.get('name'),
            incremental: values.get('incremental') !== '',
            force: true,
          },
        },
      }),
  },
];
