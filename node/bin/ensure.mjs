// Runs a script of this repository on the Node that package.json pins, after installing node_modules if that is missing
// or older than the lock. Plain JavaScript that an old Node understands: this may be the first thing that ever runs here.
//
//     node node/bin/ensure.mjs SCRIPT [ARGUMENT...]
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [script, ...rest] = process.argv.slice(2);
if (script === undefined) {
  console.error('usage: node node/bin/ensure.mjs SCRIPT [ARGUMENT...]');
  process.exit(2);
}

// npm keeps its own copy of the lock inside node_modules, but writes it in another form; ours is a plain copy.
const lock = join(root, 'package-lock.json');
const installedLock = join(root, 'node_modules/.shoal-lock.json');
if (!existsSync(installedLock) || readFileSync(installedLock, 'utf8') !== readFileSync(lock, 'utf8')) {
  if (rest.includes('--no-install')) {
    console.error('node_modules is missing or older than package-lock.json; run: npm ci --ignore-scripts');
    process.exit(1);
  }
  console.error('Installing node modules (npm ci --ignore-scripts)...');
  const status = await install();
  if (status !== 0) {
    console.error('npm ci failed; its output is above.');
    process.exit(1);
  }
  copyFileSync(lock, installedLock);
}

const node = join(root, 'node_modules/.bin/node');
const child = spawn(node, [join(root, script), ...rest], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` },
});
// Ctrl-C reaches the child from the terminal by itself; what comes by `kill` is passed on. This process only waits.
process.on('SIGINT', () => {});
for (const name of ['SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
child.on('exit', (code, signal) => {
  if (signal !== null) process.kill(process.pid, signal);
  else process.exit(code);
});

// npm says nothing for a minute or two; this says every few seconds how far it has come. Warnings (EBADENGINE: this Node is
// older than the one that the modules are for) are left out: what is installed runs on the Node that is among it.
function install() {
  const startedMs = Date.now();
  const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const { packages } = JSON.parse(readFileSync(lock, 'utf8'));
  // Those for other machines are left out by npm, too.
  const wanted = Object.keys(packages).filter((path) => path.startsWith('node_modules/') && !packages[path].optional);
  const timer = setInterval(() => {
    const there = wanted.filter((path) => existsSync(join(root, path))).length;
    const seconds = Math.round((Date.now() - startedMs) / 1000);
    console.error(`  ${seconds} s: ${there} of ${wanted.length} modules${there === 0 ? ' (downloading)' : ''}`);
  }, 5000);
  return new Promise((resolve) => {
    const done = (status) => {
      clearInterval(timer);
      resolve(status);
    };
    npm.on('error', (error) => {
      console.error(`npm could not be run: ${error.message}`);
      done(1);
    });
    npm.on('exit', (code) => done(code ?? 1));
  });
}
