/**
 * Writes down how stored messages are encoded today: `node test/proto/write-encodings.ts FILE`, a new file each time.
 * Files that are there are never changed: they are what older agents have on their disks.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { plainOf, sampleOf, storedMessages } from '../support/encoding-samples.ts';

const [path] = process.argv.slice(2);
if (path === undefined || existsSync(path)) {
  console.error('usage: node test/proto/write-encodings.ts NEW-FILE');
  process.exit(2);
}
const samples = [...storedMessages()].map(([message, { create, encode }]) => {
  const fields = sampleOf(message);
  return { message, hex: Buffer.from(encode(create(fields)).finish()).toString('hex'), fields: plainOf(fields) };
});
writeFileSync(path, `${JSON.stringify(samples, null, 1)}\n`);
console.log(`${samples.length} messages`);
