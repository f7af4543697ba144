/** The program as one bundle: made once for its sources, plain ASCII, and with every file found where it lies. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t from 'tap';
import { repositoryRoot } from '../../../node/dev/house/source.ts';

/** As the command `shoal` asks for it. */
function bundleUrl(make: boolean): string {
  const script = `import { bundleUrl } from ${JSON.stringify(pathToFileURL(join(repositoryRoot, 'node/bin/bundle.mjs')).href)};
    console.log(await bundleUrl({ make: ${make} }));`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).trim();
}

/** Packages that nothing of Shoal uses, by words that only they have. */
const unused = [
  ['fast-json-stringify/node_modules/ajv/dist/core.js', 'schema with key or id'],
  ['fast-json-stringify/index.js', 'does not match schema definition'],
] as const;

t.test('the bundle of these sources is made once, and is the whole program', (t) => {
  const url = bundleUrl(true);
  t.match(url, /\/node_modules\/\.cache\/shoal-bundles\/[0-9a-f]{32}\/shoal\.mjs$/);
  t.equal(bundleUrl(false), url, 'and is there from then on');
  const folder = dirname(fileURLToPath(url));
  const files = readdirSync(folder);
  t.ok(files.length > 20, 'what is loaded later is in files of its own');
  for (const [path, words] of unused) {
    t.ok(readFileSync(join(repositoryRoot, 'node_modules', path), 'utf8').includes(words), `${path} says so itself`);
  }
  const places: string[] = [];
  for (const file of files) {
    // A string goes on behind a line that has become too long.
    const text = readFileSync(join(folder, file), 'utf8').replaceAll('\\\n', '');
    t.notMatch(text, /[\u0080-\uffff]/, `${file}: two bytes a character otherwise`);
    for (const [path, words] of unused) t.notOk(text.includes(words), `${file}: nothing uses ${path}`);
    places.push(...(text.match(/"file:\/\/[^"]+"/g) ?? []));
    // The banner's own and no other: what is beside a module is not beside its bundle.
    t.ok((text.match(/import\.meta\.url/g) ?? []).length <= 1, file);
  }
  for (const path of [
    'drivers/vxlan/driver.ts',
    'drivers/qemu/confinement/confinement.ts',
    'api-gateway/grpc/kit/descriptor.ts',
  ]) {
    t.ok(places.includes(JSON.stringify(pathToFileURL(join(repositoryRoot, path)).href)), path);
  }
  t.end();
});

t.test('the command runs from it', (t) => {
  const shoal = (...args: string[]): string =>
    execFileSync(process.execPath, [join(repositoryRoot, 'node/bin/shoal.mjs'), ...args], { encoding: 'utf8' });
  t.match(shoal('--version'), /^\d+\.\d+\.\d+/);
  t.match(shoal('agent', '--help'), /peer\.listen/, 'the agent is the same process with flags of its own');
  t.end();
});
