import t from 'tap';
import { Prng } from '../../../node/base/prng.ts';
import { MeshNetwork } from '../../../sim/mesh/mesh-network.ts';

const networkOf = (options: { readonly seed?: number; readonly lossRate?: number; readonly hosts?: number } = {}) =>
  new MeshNetwork({
    hosts: options.hosts ?? 4,
    random: new Prng(options.seed ?? 1),
    latencyMs: { min: 1, max: 20 },
    lossRate: options.lossRate ?? 0,
  });

t.test('messages arrive within the latency, overtake one another, and are counted at both ends', async (t) => {
  const network = networkOf();
  const arrivals: { readonly n: number; readonly atMs: number }[] = [];
  for (let n = 0; n < 1_000; n += 1) network.send(0, 1, 50, () => arrivals.push({ n, atMs: network.nowMs }));
  network.runUntil(25);
  t.equal(arrivals.length, 1_000);
  t.ok(arrivals.every(({ atMs }) => atMs >= 1 && atMs <= 20.25));
  t.ok(
    arrivals.some(({ n }, at) => n !== at),
    'not in the order in which they were sent',
  );
  t.same(network.traffic(0), { messagesSent: 1_000, bytesSent: 50_000, messagesReceived: 0, bytesReceived: 0 });
  t.same(network.traffic(1), { messagesSent: 0, bytesSent: 0, messagesReceived: 1_000, bytesReceived: 50_000 });
  t.equal(network.totalTraffic.bytesReceived, 50_000);
});

t.test('the share that is to be lost is lost, and one seed gives one order', async (t) => {
  const run = (seed: number): string => {
    const network = networkOf({ seed, lossRate: 0.1 });
    const heard: number[] = [];
    for (let n = 0; n < 2_000; n += 1) network.send(0, 1, 1, () => heard.push(n));
    network.runUntil(100);
    t.ok(heard.length > 1_700 && heard.length < 1_890, `${heard.length} of 2,000`);
    return heard.join();
  };
  t.equal(run(7), run(7));
  t.not(run(7), run(8));
});

t.test('a cut works one way, and neither a dead process nor its successor does what it had planned', async (t) => {
  const network = networkOf();
  const heard: string[] = [];
  network.cutWhere((from, to) => from === 0 && to === 1);
  network.send(0, 1, 1, () => heard.push('cut'));
  network.send(1, 0, 1, () => heard.push('the other way'));
  network.send(0, 2, 1, () => heard.push('to the dead'));
  network.after(10, () => heard.push('its timer'), 2);
  network.every(5, () => heard.push('again'), { host: 2 });
  network.setUp(2, false);
  network.setUp(2, true);
  network.after(10, () => heard.push('the new one'), 2);
  const cancelled = network.after(10, () => heard.push('cancelled'));
  cancelled.cancel();
  network.runUntil(50);
  t.same(heard.toSorted(), ['the new one', 'the other way']);
  network.setUp(3, false);
  network.send(3, 0, 1, () => heard.push('from the dead'));
  network.runUntil(100);
  t.equal(heard.length, 2);
});

t.test('a starved process does all that has come when it is scheduled again', async (t) => {
  const network = networkOf();
  const atMs: number[] = [];
  network.starve(1, 10_000);
  network.send(0, 1, 1, () => atMs.push(network.nowMs));
  network.after(100, () => atMs.push(network.nowMs), 1);
  network.runUntil(9_999);
  t.same(atMs, []);
  network.runUntil(10_001);
  t.same(atMs, [10_000, 10_000]);
});

t.test('what is due after minutes happens then, in order', async (t) => {
  const network = networkOf();
  const atMs: number[] = [];
  for (const delayMs of [200_000, 65_536, 65_535.9, 1, 0, 131_072, 70_000])
    network.after(delayMs, () => atMs.push(network.nowMs));
  network.every(60_000, () => atMs.push(-network.nowMs), { firstMs: 30_000 });
  network.runUntil(200_000);
  t.same(atMs, [0, 1, -30_000, 65_535.9, 65_536, 70_000, -90_000, 131_072, -150_000, 200_000]);
  t.equal(network.nowMs, 200_000);
});
