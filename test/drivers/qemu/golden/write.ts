/** Writes the arguments of all shapes into this folder: `node test/drivers/qemu/golden/write.ts`. What has changed is then seen. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { argumentsOf, shapes } from './shapes.ts';

const folder = import.meta.dirname;
for (const name of await readdir(folder)) if (name.endsWith('.txt')) await rm(`${folder}/${name}`);
for (const [name, shape] of Object.entries(shapes)) {
  await writeFile(`${folder}/${name}.txt`, `${argumentsOf(shape, '/r').join('\n')}\n`);
}
