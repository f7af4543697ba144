import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { nativePolicies } from '../../../api-gateway/policies/native.ts';

const bin = fileURLToPath(new URL('../../../node/bin/shoal.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'shoal-cli-'));
t.teardown(() => rmSync(folder, { recursive: true }));

function shoal(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ status: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [bin, ...args],
      { env: { ...process.env, ...env }, timeout: 60_000 },
      (error, out, err) => {
        resolve({ status: typeof error?.code === 'number' ? error.code : 0, out, err });
      },
    );
  });
}

t.test('mistakes are told apart by exit status and say what to do', async (t) => {
  const dataDir = join(folder, 'nothing');
  const local = ['--data-dir', dataDir, '--set', 'advertiseAddress=127.0.0.1'];
  const cases: readonly [readonly string[], number, RegExp][] = [
    [['stats'], 2, /Did you mean status/],
    [['status', '--nonsense'], 2, /unknown option/],
    [['agent', '--set', 'raft.tickMs=1'], 2, /raft\.tickMs: must be >= 10/],
    [['agent', '--set', 'tickMs'], 2, /expected PATH=VALUE/],
    [['agent', ...local], 2, /belongs to no mesh yet[\s\S]*shoal init/],
    [['status', ...local], 1, /no agent runs here on .*shoal init .*--data-dir/],
    [['ticket', 'create', '--ttl', '5', ...local], 2, /60 to 604800/],
    [['join', ...local], 2, /ticket is needed/],
    [['join', 'shoal1.AAAA', ...local], 1, /ticket/],
  ];
  for (const [args, status, text] of cases) {
    const result = await shoal(args);
    t.equal(result.status, status, `${args.join(' ')}: ${result.err}`);
    t.match(result.err, text);
  }
});

t.test('init founds a mesh once, and shows a drawn password only', async (t) => {
  const dataDir = join(folder, 'a');
  const args = ['init', '--json', '--data-dir', dataDir, '--set', 'advertiseAddress=127.0.0.1'];
  const first = await shoal(args);
  t.equal(first.status, 0, first.err);
  t.match(JSON.parse(first.out), { meshId: /^[0-9a-f-]{36}$/, hostId: /^[0-9a-f]{32}$/, adminPassword: /^.{12,}$/ });
  t.ok(readdirSync(dataDir).includes('membership.json'));
  const second = await shoal(args);
  t.equal(second.status, 1);
  t.match(second.err, /belongs to a mesh already/);
  const given = await shoal(
    ['init', '--json', '--data-dir', join(folder, 'b'), '--set', 'advertiseAddress=127.0.0.1'],
    {
      SHOAL_ADMIN_PASSWORD: 'known to the operator',
    },
  );
  t.equal(JSON.parse(given.out).adminPassword, undefined);
  t.notMatch(given.out, /known to the operator/);
});

t.test('completion offers commands, choices and options', async (t) => {
  const { out } = await shoal(['completion', 'bash']);
  const script = `${out}\nCOMP_WORDS=(shoal "$@"); COMP_CWORD=$#; _shoal; printf '%s ' "\${COMPREPLY[@]}"`;
  const complete = (...words: string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      execFile('bash', ['-c', script, 'bash', ...words], (error, answer) =>
        error ? reject(error) : resolve(answer.trim()),
      );
    });
  t.equal(await complete('pl'), 'placement');
  t.equal(await complete('placement', 'w'), 'what-if');
  t.equal(await complete('completion', 'f'), 'fish');
  t.equal(await complete('status', '--js'), '--json');
});

t.test('policy list shows every rule with its default and what the configuration sets', async (t) => {
  const config = join(folder, 'policy.yaml');
  writeFileSync(config, 'policy:\n  create_network: "!"\n');
  const local = ['--config', config, '--set', 'advertiseAddress=127.0.0.1'];
  const listed = await shoal(['policy', 'list', '--json', ...local]);
  t.equal(listed.status, 0, listed.err);
  const rules = JSON.parse(listed.out) as { name: string; value: string; isSet: boolean; operations: string[] }[];
  t.same(
    rules.map(({ name }) => name),
    nativePolicies.map(({ name }) => name),
  );
  const network = rules.find(({ name }) => name === 'create_network');
  t.match(network, { value: '!', isSet: true, operations: ['POST /v2.0/networks', /CreateNetwork$/] });
  t.match(
    rules.find(({ name }) => name === 'context_is_admin'),
    { default: 'role:admin', value: 'role:admin', isSet: false },
  );
  const changed = await shoal(['policy', 'list', '--changed', ...local]);
  t.match(changed.out, /create_network.*!.*role:member/);
  t.notMatch(changed.out, /create_subnet/);
  writeFileSync(config, 'policy:\n  create_network: nobody\n');
  const wrong = await shoal(['policy', 'list', ...local]);
  t.equal(wrong.status, 2);
  t.match(wrong.err, /policy\.create_network: .*"nobody" is not KIND:VALUE/);
});
