/** `node node/dev/house/main.ts [--json]`: the measures of the house. Exit status 1 when one is out of bounds. */
import { measure, offences } from './measures.ts';
import { paths, sources } from './source.ts';

const measures = measure(sources(), paths());
if (process.argv.includes('--json')) console.log(JSON.stringify(measures, undefined, 2));
else {
  const { documentedExports, exports: all, longFiles, oldWords, unusedExports } = measures;
  console.log(
    `${measures.files} files in ${measures.rooms} folders, ${measures.arrows} arrows, ${measures.floors} floors`,
  );
  console.log(`circles: ${measures.fileCircles.length} of files, ${measures.roomCircles.length} of folders`);
  console.log(`exports: ${documentedExports} of ${all} documented, ${unusedExports.length} unused`);
  console.log(`files over 500 lines: ${longFiles.map(({ path, lines }) => `${path} ${lines}`).join(', ')}`);
  console.log(`old words: ${oldWords.reduce((sum, { times }) => sum + times, 0)}`);
}
const found = offences(measures);
for (const offence of found.slice(0, 100)) console.error(offence);
process.exitCode = found.length === 0 ? 0 : 1;
