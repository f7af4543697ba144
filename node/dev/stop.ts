/**
 * `npm stop`: ends the development cloud, whatever state it is in: agents, guests, helpers, namespaces, data.
 *
 *     npm stop                     everything goes
 *     npm stop -- --keep-data      disks, images and records stay; `npm start` finds them again
 */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DevCeph } from './ceph.ts';
import { DevCloud } from './cloud.ts';
import { developmentFolder } from './folder.ts';
import { Progress } from './progress.ts';

const { values } = parseArgs({
  options: { 'keep-data': { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
if (values.help) {
  process.stdout.write(
    'npm stop [-- --keep-data]\n\n  --keep-data   disks, images and records stay for the next npm start\n',
  );
} else {
  const progress = new Progress(process.stdout);
  const cloud = DevCloud.find(developmentFolder);
  if (cloud === undefined) {
    progress.note('There is no development cloud here.');
  } else {
    const keepData = values['keep-data'];
    // Ceph after the guests, and before its folder goes.
    await progress.step('agents, guests and namespaces', () => cloud.stop({ keepData: true }));
    await progress.step('ceph', () => new DevCeph(join(developmentFolder, 'ceph')).stop());
    if (!keepData) await progress.step('data', () => cloud.removeData());
    progress.note(keepData ? `Data are kept in ${developmentFolder}.` : 'Everything is gone.');
  }
}
