/** The commands of the top README, as printed, and how each of them is run by a test. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../node/dev/house/source.ts';

/** Words with which a line of a code block, or code in a sentence, is a command. */
const commandForm = /^(?:[A-Z_]+=\S+ )?(?:npm|npx|shoal|source|openstack|export|ssh|grpcurl) /;

/**
 * How a command is run: by test/e2e/readme.test.ts in two machines of its own (`machines`) or in a copy of the checkout with
 * a development cloud (`cloud`), by the test named, by `.ci/run`, or by hand, with the reason.
 */
export type HowRun =
  | 'machines'
  | 'cloud'
  | { readonly test: string }
  | { readonly ci: string }
  | { readonly hand: string };

/** Calls of the native API that the README prints: the test that runs them takes them from there, whatever they are. */
export function nativeCalls(): readonly string[] {
  return readFileSync(join(repositoryRoot, 'README.md'), 'utf8').match(/(?<=^ {4})grpcurl .*$/gm) ?? [];
}

/** Every command of the README. test/readme.test.ts holds this against the README in both directions. */
export const readmeCommands: Readonly<Record<string, HowRun>> = {
  'npm start': 'cloud',
  'npm run build:web': { test: 'test/api-gateway/web/serving.test.ts' },
  'npm start -- --help': 'cloud',
  'source .shoal/openrc && openstack server list': 'cloud',
  'OS_CLIENT_CONFIG_FILE=.shoal/clouds.yaml openstack --os-cloud shoal-h2 hypervisor list': 'cloud',
  'ssh -i .shoal/demo-key.pem demo@ADDRESS': { test: 'test/e2e/cloud.test.ts' },
  'npm stop': 'cloud',
  'npm stop -- --keep-data': 'cloud',
  'shoal init': 'machines',
  'shoal agent': 'machines',
  'shoal ticket create': 'machines',
  'shoal agent --join TICKET': 'machines',
  'shoal status': 'machines',
  'shoal hosts': 'machines',
  'shoal pools': { test: 'test/node/cli/pools.test.ts' },
  'openstack volume type set --property volume_backend_name=fast quick': { test: 'test/e2e/pools.test.ts' },
  'shoal ca': 'machines',
  'export OS_CACERT=/var/lib/shoal/ca.pem': 'machines',
  'shoal admin reset-password': 'machines',
  'shoal network trace SERVER 8.8.8.8': { test: 'test/node/cli/network.test.ts' },
  'shoal host drain NAME --wait': { test: 'test/node/cli/jobs.test.ts' },
  'shoal policy list': { test: 'test/node/cli/command-line.test.ts' },
  'shoal job list': { test: 'test/node/cli/jobs.test.ts' },
  'shoal backup list': { test: 'test/node/cli/backups.test.ts' },
  'openstack volume backup record export': { test: 'test/node/host/volume-backups.test.ts' },
  'shoal host remove NAME': 'machines',
  'shoal inspect': 'machines',
  'shoal recover': { test: 'test/node/cli/recover.test.ts' },
  'shoal reset-membership': { test: 'test/node/cli/reset-membership.test.ts' },
  'shoal host remove --force': { test: 'test/node/services/host-removal.test.ts' },
  'shoal rotate-authority': { test: 'test/node/cluster/authority-rotation.test.ts' },
  'shoal rekey': { test: 'test/node/services/host-removal.test.ts' },
  'shoal record list': { test: 'test/security/unreadable-record.test.ts' },
  'openstack server create': { test: 'test/e2e/cloud.test.ts' },
  'openstack server migrate --host': { test: 'test/node/services/compute/compute-service.test.ts' },
  'openstack server migrate --live-migration': { test: 'test/node/host/live/live-migration.test.ts' },
  'openstack server set --property ha=restart SERVER': { test: 'test/e2e/availability.test.ts' },
  'openstack server evacuate': { test: 'test/node/services/compute/server-moves.test.ts' },
  'openstack server resize confirm': { test: 'test/node/services/compute/server-moves.test.ts' },
  'openstack server migrate revert': { test: 'test/node/services/compute/compute-service.test.ts' },
  'shoal agent --help': 'machines',
  'source <(shoal completion bash)': { test: 'test/node/cli/command-line.test.ts' },
  ...Object.fromEntries(nativeCalls().map((call) => [call, { test: 'test/api-gateway/grpc/readme.test.ts' }])),
  'npm test': { ci: 'npm test' },
  'npm test -- test/e2e/cloud.test.ts': { ci: 'npm test' },
  'npm test -- --unit': { ci: 'npm test' },
  'npm test -- test/node/raft': { ci: 'npm test' },
  'npm run check': { ci: 'npm run check' },
  'npm run format': { hand: 'changes sources; npm run check says whether it is needed' },
  'npm run proto': { hand: 'changes sources; npm run check compares' },
  'npm run conformance': { hand: 'reads scenarios from beside the checkout' },
  'npm run sim -- --seed 7': { test: 'test/sim/main.test.ts' },
  'npm run sim -- --scenario power-cut-everywhere --report report.html': { test: 'test/sim/scenarios.test.ts' },
  'npm run bench:sim -- --quick': { hand: 'measures; needs a quiet machine' },
  'npm run soak:raft': { hand: 'an hour of kill -9; test/node/consensus/crash.test.ts is its short form' },
  'npm run soak:volumes': { hand: 'hours of kill -9; test/e2e/volumes-killed.test.ts is its short form' },
  'npm run bench:raft -- --quick': { hand: 'measures; needs a quiet machine' },
  'npm run bench:mesh -- --quick': { hand: 'measures; needs a quiet machine' },
  'npm run bench:volumes -- --quick': { hand: 'measures; needs a quiet machine' },
  'npm run bench:servers -- --quick': { hand: 'measures; needs a quiet machine' },
  'npm run bench:placement -- --quick': { hand: 'measures; needs a quiet machine' },
};

/** The commands that the README prints, each once, in its order: lines of code blocks without their comments, and code in sentences. */
export function commandsOfReadme(): readonly string[] {
  const text = readFileSync(join(repositoryRoot, 'README.md'), 'utf8');
  const found: string[] = [];
  for (const line of text.split('\n')) {
    const candidates = line.startsWith('    ')
      ? [line.trim()]
      : [...line.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
    for (const candidate of candidates) {
      // What follows two spaces explains the command.
      const command = candidate.split(/\s{2,}|\s+#/, 1)[0] ?? '';
      const known = Object.keys(readmeCommands)
        .filter((name) => command === name || command.startsWith(`${name} `))
        .sort((a, b) => b.length - a.length)[0];
      if (commandForm.test(`${command} `))
        found.push(known !== undefined && isSentence(command, known) ? known : command);
    }
  }
  return [...new Set(found)];
}

/** A code block that explains beside a command, apart from it by one space only. */
function isSentence(command: string, known: string): boolean {
  return /^ [a-z]/.test(command.slice(known.length)) && !command.slice(known.length).includes('--');
}
