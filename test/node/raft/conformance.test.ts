import t from 'tap';
import { replay } from './conformance/replay.ts';
import { etcdRaftCases, etcdRaftFolder, etcdRaftScenarios, ownScenarios } from './conformance/scenario-set.ts';

const scenarios = etcdRaftScenarios();

if (scenarios === undefined) {
  t.pass(`skipped: etcd-io/raft's scenario files are not at ${etcdRaftFolder()}`, { skip: true });
} else {
  let cases = 0;
  let passed = 0;
  for (const { name, kind, text } of scenarios) {
    void t.test(`the core answers etcd-io/raft's ${kind}/${name} to the letter`, async (t) => {
      const result = replay(kind, text);
      cases += result.cases;
      passed += result.passed;
      t.strictSame(result.failures, []);
    });
  }
  void t.test(`all ${etcdRaftCases} cases of etcd-io/raft were run, and pass`, async (t) => {
    t.equal(cases, etcdRaftCases);
    t.equal(passed, etcdRaftCases);
  });
}

const own = ownScenarios();

void t.test('there are at least eight scenarios of our own', async (t) => {
  t.ok(own.length >= 8, `${own.length} files`);
});

for (const { name, kind, text } of own) {
  void t.test(`the core answers our own ${name} to the letter`, async (t) => {
    t.strictSame(replay(kind, text).failures, []);
  });
}

void t.test('the replay notices a core that answers otherwise', async (t) => {
  const text = ['add-nodes 1 voters=(1) index=2', '----', 'ok', '', 'campaign 1', '----', 'ok', ''].join('\n');
  const wrong = `${text}\nraft-state\n----\n1: StateLeader (Voter) Term:1 Lead:1\n`;
  t.equal(replay('interaction', text).passed, 2);
  const result = replay('interaction', wrong);
  t.equal(result.passed, 2);
  t.match(result.failures[0]?.actual, /StateCandidate/);
});
