/** What was stored once is understood for ever: numbers, types and meanings of stored fields never change. */
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { plainOf, sampleOf, storedMessages } from '../support/encoding-samples.ts';

interface Sample {
  readonly message: string;
  readonly hex: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const folder = new URL('../data/encodings/', import.meta.url);
const files = readdirSync(folder).sort();
const samplesOf = (file: string): readonly Sample[] =>
  JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Sample[];

for (const file of files) {
  t.test(`what was written as of ${file} still reads the same`, async (t) => {
    for (const { message, hex, fields } of samplesOf(file)) {
      const codec = storedMessages().get(message);
      if (codec === undefined) {
        t.fail(`${message} is stored no more; what of its records that are there?`);
        continue;
      }
      const read = plainOf(codec.decode(Buffer.from(hex, 'hex'))) as Record<string, unknown>;
      // Fields that were added since are at their defaults, and not in the sample.
      t.match(read, fields, message);
    }
  });
}

t.test('every stored message, with every field that it has today, is written down', async (t) => {
  const written = new Map(files.flatMap(samplesOf).map((sample) => [sample.message, sample]));
  for (const [message] of storedMessages()) {
    t.strictSame(
      written.get(message)?.fields,
      plainOf(sampleOf(message)),
      `${message}: write it down with test/proto/write-encodings.ts`,
    );
  }
});
