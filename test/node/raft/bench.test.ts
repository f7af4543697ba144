import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { killLeaders } from '../../../node/raft/bench/failover.ts';
import {
  decodePut,
  decodeRange,
  decodeRangeResponse,
  decodeStatusResponse,
  encodePut,
  encodeRange,
  encodeRangeResponse,
} from '../../../node/raft/bench/kv-messages.ts';
import { keyFor, quantile, runLoad, valueBytes, valueFor } from '../../../node/raft/bench/load.ts';
import { processCpuSeconds } from '../../../node/raft/bench/machine.ts';
import { type Run, ratiosOf, rowOf } from '../../../node/raft/bench/rows.ts';
import { ShoalCluster } from '../../../node/raft/bench/shoal-cluster.ts';

t.setTimeout(90_000);

t.test("messages of etcd's API come out as they went in, and unknown fields are passed over", (t) => {
  const value = valueFor(3, 70_000);
  t.equal(value.length, valueBytes);
  t.same(decodePut(encodePut({ key: 'a/b', value })), { key: 'a/b', value: Buffer.from(value) });
  for (const serializable of [true, false]) {
    t.same(decodeRange(encodeRange({ key: 'k', serializable })), { key: 'k', serializable });
  }
  t.same(decodeRangeResponse(encodeRangeResponse('k', undefined)), { value: undefined });
  t.same(decodeRangeResponse(encodeRangeResponse('k', value)).value, Buffer.from(value));
  // Header {cluster_id: 1, member_id: 5, revision: 9}, version "3.4", leader 5, as etcd 3.4 sends them.
  const status = Buffer.from('0a06080110051809' + '1203332e34' + '2005', 'hex');
  t.same(decodeStatusResponse(status), { memberId: 5, leader: 5 });
  t.end();
});

t.test('a row is that of the middle run, with the spread of all', (t) => {
  const run = (ops: number): Run => ({
    load: { ops, failed: 1, seconds: 2, latenciesMs: Array.from({ length: 100 }, (_, n) => n + ops) },
    cpuSeconds: ops / 1000,
  });
  const row = rowOf('shoal put', 3, 64, [run(300), run(100), run(200)]);
  t.match(row, { ops_per_s: 100, ops_per_s_min: 50, ops_per_s_max: 150, p50_ms: 250, p99_ms: 299, runs: 3, failed: 3 });
  t.match(row, { p99_ms_min: 199, p99_ms_max: 399, worst_ms: 399, cpu_s: 0.2, cpu_ms_per_op: 1 });
  const etcd = rowOf('etcd put', 3, 64, [run(400)]);
  const inAgent = rowOf('shoal put in agent', 3, 64, [run(800)]);
  const forwarded = rowOf('shoal put forwarded', 3, 64, [run(600)]);
  t.match(ratiosOf([row, etcd, inAgent, forwarded]), [
    { name: 'shoal put', against: 'etcd put', ops_per_s: 0.5 },
    { name: 'shoal put in agent', against: 'etcd put', ops_per_s: 2 },
    { name: 'shoal put forwarded', against: 'etcd put', ops_per_s: 1.5 },
  ]);
  t.same(ratiosOf([row, rowOf('etcd put', 1, 64, [run(400)])]), [], 'only what is alike is compared');
  t.end();
});

t.test('a load counts what succeeded in its time and what failed', async (t) => {
  let sent = 0;
  const result = await runLoad(
    async (client) => {
      sent += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (client === 1) throw new Error('refused');
    },
    2,
    100,
  );
  t.ok(result.ops > 2 && result.failed > 1 && result.ops + result.failed <= sent, JSON.stringify(result));
  t.ok(quantile(result.latenciesMs, 0.5) >= 4);
  t.equal(quantile([], 0.5), 0);
  t.equal(keyFor(1, 2), keyFor(1, 1002), 'a client goes round its keys');
});

t.test('processor time is that of the process', (t) => {
  const before = processCpuSeconds(process.pid);
  const endMs = performance.now() + 100;
  while (performance.now() < endMs);
  t.ok(processCpuSeconds(process.pid) > before);
  t.equal(processCpuSeconds(0), 0);
  t.end();
});

t.test('three real processes take writes, and others take over from a leader that was killed', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-bench-test-'));
  const cluster = new ShoalCluster(folder, 3, []);
  t.teardown(async () => {
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  });
  await cluster.start();
  const load = await cluster.load(await cluster.leader(), 'put', 8, 300);
  t.ok(load.ops > 0);
  t.equal(load.failed, 0);
  const learner = await cluster.addLearner();
  for (const kind of ['put', 'read-linearizable'] as const) {
    const forwarded = await cluster.load(learner, kind, 8, 300);
    t.ok(forwarded.ops > 0, `${kind} of a member that does not vote`);
    t.equal(forwarded.failed, 0);
  }
  await cluster.removeLearner();
  const [gapMs] = await killLeaders(cluster, 1, Number.POSITIVE_INFINITY);
  t.ok(gapMs !== undefined && gapMs > 0 && gapMs < 20_000, `${gapMs} ms`);
  t.ok(cluster.cpuSeconds() > 0);
});
