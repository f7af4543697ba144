import type { VolumeStepDefinition } from './definition.ts';

/** The content is a full copy, which takes long: a job makes it, and tells the record. */
export const beginCopy: VolumeStepDefinition<'begin-copy'> = {
  mode: 'reports',
  words: 'beginning to copy the volume',
  async do(_step, volume, tools) {
    await tools.beginCopy(volume);
  },
};
