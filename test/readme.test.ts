/** G6: every command of the README is run by a test, or there is a reason why not. What runs them: test/e2e/readme.test.ts. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repositoryRoot } from '../node/dev/house/source.ts';
import { commandsOfReadme, readmeCommands } from './support/readme.ts';

t.test('G6: the table of how commands are run has each that the README prints, and no other', (t) => {
  const printed = commandsOfReadme().filter((command) => !['npx shoal', 'shoal sim'].includes(command));
  t.ok(printed.length > 30, `${printed.length} commands`);
  t.same(
    printed.filter((command) => !Object.hasOwn(readmeCommands, command)),
    [],
    'printed, and nobody runs it',
  );
  t.same(
    Object.keys(readmeCommands).filter((command) => !printed.includes(command)),
    [],
    'run, and not printed',
  );
  t.end();
});

t.test('G6: what the table says of other places is so', (t) => {
  const ci = readFileSync(join(repositoryRoot, '.ci/run'), 'utf8');
  const { scripts } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const [command, how] of Object.entries(readmeCommands)) {
    const script = /^npm (?:run )?([a-z:]+)/.exec(command)?.[1];
    if (script !== undefined) t.ok(Object.hasOwn(scripts, script), `${command} is a script`);
    if (typeof how === 'string') continue;
    if ('ci' in how) t.ok(ci.includes(how.ci), `.ci/run has ${how.ci}`);
    if ('test' in how) t.ok(existsSync(join(repositoryRoot, how.test)), how.test);
    if ('hand' in how) t.ok(how.hand.length > 10, `${command}: ${how.hand}`);
  }
  t.end();
});
