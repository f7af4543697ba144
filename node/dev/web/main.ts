/** `npm run build:web`: builds the web page and says how large it is. Exit status 1 when the first load is over its budget. */
import { buildWeb, builtWebFolder, firstLoadBytesMax } from './build.ts';

const { firstLoadBytes, files } = await buildWeb();
for (const { name, bytes, compressedBytes } of files) {
  console.log(`${name.padEnd(40)} ${String(bytes).padStart(8)} B  ${String(compressedBytes).padStart(8)} B compressed`);
}
console.log(`${builtWebFolder}: first load ${firstLoadBytes} of ${firstLoadBytesMax} B compressed`);
if (firstLoadBytes > firstLoadBytesMax) {
  console.error('The first load is over its budget.');
  process.exitCode = 1;
}
