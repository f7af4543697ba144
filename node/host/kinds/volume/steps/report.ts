import type { VolumeStepDefinition } from './definition.ts';

/** Tells the record that all that was asked for is done. */
export const report: VolumeStepDefinition<'report'> = {
  mode: 'reports',
  words: 'recording the state of the volume',
  async do(_step, volume, tools) {
    await tools.volumeReports.made(volume, volume.madeGib);
  },
};
