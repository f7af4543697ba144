/** The program as one bundle, and the agent as one script: made once for their sources, plain ASCII, every file found where it lies. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t from 'tap';
import { runAgentCommand } from '../../../node/cli/agent-main.ts';
import { repositoryRoot } from '../../../node/dev/house/source.ts';

/** As the command `shoal` asks for it. */
function bundleUrl(make: boolean): string {
  const script = `import { bundleUrl } from ${JSON.stringify(pathToFileURL(join(repositoryRoot, 'node/bin/bundle.mjs')).href)};
    console.log(await bundleUrl({ make: ${make} }));`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).trim();
}

/** Path of the agent's script, which is made when it is missing. */
function agentScript(): string {
  const script = `import { agentScript } from ${JSON.stringify(pathToFileURL(join(repositoryRoot, 'node/bin/bundle.mjs')).href)};
    console.log(await agentScript());`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).trim();
}

/** Loads a script as `shoal agent` does, in a process of its own; what it said. */
function loadScript(path: string): string {
  const script = `import { loadAgentScript } from ${JSON.stringify(pathToFileURL(join(repositoryRoot, 'node/bin/agent-script.mjs')).href)};
    loadAgentScript(${JSON.stringify(path)}).say();
    process.emit('shoalStarted');`;
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

t.test('the agent is one script, without the other commands', (t) => {
  const path = agentScript();
  t.match(path, /\/node_modules\/\.cache\/shoal-bundles\/[0-9a-f]{32}-agent\/agent\.cjs$/);
  t.equal(agentScript(), path, 'and is there from then on');
  const text = readFileSync(path, 'utf8').replaceAll('\\\n', '');
  t.notMatch(text, /[\u0080-\uffff]/, 'two bytes a character otherwise');
  for (const [from, words] of unused) t.notOk(text.includes(words), `nothing uses ${from}`);
  t.notMatch(text, /import\.meta/, 'a script has none');
  t.ok(text.includes(JSON.stringify(pathToFileURL(join(repositoryRoot, 'drivers/vxlan/driver.ts')).href)));
  const inspect = 'show what lies in the data folder of a stopped agent';
  t.ok(readFileSync(join(repositoryRoot, 'node/cli/commands/inspect.ts'), 'utf8').includes(inspect));
  t.notOk(text.includes(inspect), 'what only `shoal inspect` says');
  t.end();
});

t.test('it takes the command line of `shoal agent`, and no other', async (t) => {
  t.equal(await runAgentCommand(['node', 'shoal', 'agent', '--strange']), 2);
  t.equal(await runAgentCommand(['node', 'shoal', 'status']), 2);
});

t.test('compiled code is kept beside the script, and not believed when it is damaged', (t) => {
  const folder = t.testdir();
  const path = join(folder, 'script.cjs');
  const said = "module.exports.say = () => console.log(typeof require('node:fs').statSync, exports === module.exports)";
  writeFileSync(path, `(function (require, module, exports) {${said}})`);
  const code = (): string[] => readdirSync(folder).filter((name) => name !== 'script.cjs');
  t.equal(loadScript(path), 'function true');
  const [first = ''] = code();
  t.match(first, /^script\.cjs\.\d+\.code$/);
  const whole = readFileSync(join(folder, first));
  t.equal(loadScript(path), 'function true', 'from what is kept');
  for (const damaged of [whole.fill(0x55, 40, 80), whole.subarray(0, 5), Buffer.alloc(0)]) {
    writeFileSync(join(folder, first), damaged);
    t.equal(loadScript(path), 'function true');
    t.notSame(readFileSync(join(folder, first)), damaged, 'written again');
  }
  t.same(code(), [first], 'nothing else is left');
  mkdirSync(join(folder, 'other'));
  writeFileSync(
    join(folder, 'other', 'script.cjs'),
    '(function (require, module) { module.exports.say = () => console.log(7) })',
  );
  t.equal(loadScript(join(folder, 'other', 'script.cjs')), '7');
  t.end();
});

t.test('the command runs from it', (t) => {
  const shoal = (...args: string[]): string =>
    execFileSync(process.execPath, [join(repositoryRoot, 'node/bin/shoal.mjs'), ...args], { encoding: 'utf8' });
  t.match(shoal('--version'), /^\d+\.\d+\.\d+/);
  t.match(shoal('agent', '--help'), /peer\.listen/, 'the agent is the same process with flags of its own');
  t.end();
});
