/** The pure parts of single pages: verbs of servers, the drawing of networks, rules in words, formats of files. */
import t from 'tap';
import { formatOf } from '../../../api-gateway/web/app/pages/images/disk-format.ts';
import { ruleInWords } from '../../../api-gateway/web/app/pages/network/rule-words.ts';
import { layOut } from '../../../api-gateway/web/app/pages/network/topology-layout.ts';
import { verbs, verbsFor } from '../../../api-gateway/web/app/pages/servers/verbs.ts';
import { verbs as rules, type ServerVerb, type VerbRule } from '../../../node/services/compute/machine/verbs.ts';
import { vmStates } from '../../../node/services/compute/machine/vm-state.ts';

/** The page's verbs by the machine's names. */
const machineVerbs = new Map<string, ServerVerb>([
  ['start', 'start'],
  ['stop', 'stop'],
  ['reboot', 'reboot-soft'],
  ['hardReboot', 'reboot-hard'],
  ['pause', 'pause'],
  ['unpause', 'unpause'],
  ['suspend', 'suspend'],
  ['resume', 'resume'],
  ['shelve', 'shelve'],
  ['unshelve', 'unshelve'],
  ['image', 'createImage'],
  ['resize', 'resize'],
  ['confirmResize', 'confirmResize'],
  ['revertResize', 'revertResize'],
  ['rescue', 'rescue'],
  ['unrescue', 'unrescue'],
  ['rebuild', 'rebuild'],
  ['password', 'changePassword'],
  ['lock', 'lock'],
  ['unlock', 'unlock'],
  ['crashDump', 'trigger_crash_dump'],
  ['migrate', 'migrate'],
  ['liveMigrate', 'os-migrateLive'],
  ['resetState', 'reset-state'],
]);

void t.test('each verb is offered in the states in which the machine takes it, and in no other', (t) => {
  for (const verb of verbs) {
    const name = machineVerbs.get(verb.key);
    if (name === undefined) {
      t.fail(`the test does not know ${verb.key}`);
      continue;
    }
    const rule: VerbRule = rules[name];
    // A resize is reverted where one waits for a word, which only this state shows.
    if (name !== 'revertResize')
      t.same([...verb.states].sort(), [...(rule.from ?? vmStates)].sort(), `${verb.key}: states`);
    if (name !== 'revertResize') t.equal(verb.passesTask === true, rule.task === undefined, `${verb.key}: tasks`);
    t.equal(
      verb.passesLock === true,
      rule.lock === undefined || name === 'lock' || name === 'unlock',
      `${verb.key}: locks`,
    );
  }
  t.end();
});

void t.test('what must wait says why', (t) => {
  const server = (state: string, task: string | null, locked = false) => ({
    locked,
    'OS-EXT-STS:vm_state': state,
    'OS-EXT-STS:task_state': task,
  });
  const obstacleOf = (found: ReturnType<typeof verbsFor>, key: string) =>
    found.find(({ verb }) => verb.key === key)?.obstacle;
  const free = verbsFor(server('active', null), false);
  t.equal(obstacleOf(free, 'stop'), '');
  t.equal(obstacleOf(free, 'start'), undefined);
  t.equal(obstacleOf(free, 'migrate'), undefined, 'operators alone');
  t.equal(obstacleOf(free, 'unlock'), undefined, 'it is not locked');
  const busy = verbsFor(server('active', 'powering-off'), false);
  t.match(obstacleOf(busy, 'pause'), /powering-off/);
  t.equal(obstacleOf(busy, 'hardReboot'), '', 'a reboot is the way out of any task');
  const locked = verbsFor(server('active', null, true), false);
  t.match(obstacleOf(locked, 'stop'), /locked/);
  t.equal(obstacleOf(locked, 'unlock'), '');
  t.equal(obstacleOf(verbsFor(server('active', null, true), true), 'stop'), '', 'administrators pass locks');
  t.end();
});

void t.test('networks are drawn once each, with wires to what is on them', (t) => {
  const drawing = layOut({
    networks: [
      { id: 'n1', name: 'inner', isExternal: false },
      { id: 'n2', name: 'outer', isExternal: true },
    ],
    routers: [{ id: 'r1', name: 'router', externalNetworkId: 'n2' }],
    servers: [
      { id: 's1', name: 'web' },
      { id: 's2', name: '' },
    ],
    ports: [
      { networkId: 'n1', deviceId: 's1', address: '10.0.0.5' },
      { networkId: 'n1', deviceId: 'r1', address: '10.0.0.1' },
      { networkId: 'n2', deviceId: 'r1', address: '203.0.113.2' },
      { networkId: 'n1', deviceId: 'dhcp', address: '10.0.0.2' },
    ],
    floatingIps: [{ address: '203.0.113.9', fixedAddress: '10.0.0.5' }],
  });
  t.same(
    drawing.boxes.map(({ kind, label }) => `${kind} ${label}`),
    ['router router', 'external outer', 'network inner', 'server web', 'server s2'],
  );
  t.same(
    drawing.wires.map(({ label }) => label).sort(),
    ['', '10.0.0.1', '10.0.0.5 ⇄ 203.0.113.9'],
    'the gateway once, and nothing to what is not drawn',
  );
  for (const { x, y, width, height } of drawing.boxes) {
    t.ok(x >= 0 && y >= 0 && x + width <= drawing.width && y + height <= drawing.height, 'within the drawing');
  }
  const many = layOut({
    networks: [],
    routers: [],
    servers: Array.from({ length: 1000 }, (_, at) => ({ id: `${at}`, name: '' })),
    ports: [],
    floatingIps: [],
  });
  t.equal(many.boxes.length, 200);
  t.equal(many.left, 800);
  t.same(layOut({ networks: [], routers: [], servers: [], ports: [], floatingIps: [] }).boxes, []);
  t.end();
});

void t.test('rules of security groups are sentences', (t) => {
  const rule = {
    id: '1',
    direction: 'ingress',
    ethertype: 'IPv4',
    protocol: 'tcp',
    port_range_min: 22,
    port_range_max: 22,
    remote_ip_prefix: '0.0.0.0/0',
    remote_group_id: null,
  };
  const none = { port_range_min: null, port_range_max: null };
  for (const [changes, sentence] of [
    [{}, 'TCP 22 (SSH) from anywhere over IPv4'],
    [{ remote_ip_prefix: null }, 'TCP 22 (SSH) from anywhere over IPv4'],
    [{ port_range_min: 8000, port_range_max: 8080, remote_ip_prefix: '10.0.0.0/8' }, 'TCP 8000–8080 from 10.0.0.0/8'],
    [{ protocol: null, ...none, remote_ip_prefix: null, remote_group_id: 'g' }, 'everything from members of a group'],
    [{ protocol: 'icmp', port_range_min: 8, port_range_max: null }, 'ICMP type 8 from anywhere over IPv4'],
    [
      { direction: 'egress', protocol: 'udp', port_range_min: 53, port_range_max: 53 },
      'UDP 53 (DNS) to anywhere over IPv4',
    ],
    [{ ethertype: 'IPv6', remote_ip_prefix: '::/0', protocol: null, ...none }, 'everything from anywhere over IPv6'],
  ] as const) {
    t.equal(ruleInWords({ ...rule, ...changes }), sentence);
  }
  t.end();
});

void t.test('the format of a file is known by its first bytes', (t) => {
  const bytes = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  t.equal(formatOf('a.img', bytes('QFI\u00fb\0\0\0\u0003')), 'qcow2');
  t.equal(formatOf('a.qcow2', bytes('\0\0')), 'raw', 'a name proves nothing');
  t.equal(formatOf('a.vmdk', bytes('KDMV')), 'vmdk');
  t.equal(formatOf('a.ISO', bytes('')), 'iso');
  t.end();
});
