import t from 'tap';
import { fuzzGrpc } from './grpc-fuzzer.ts';

await t.test('no gRPC call fails unexpectedly, and none is left without an answer', { timeout: 300_000 }, async (t) => {
  const report = await fuzzGrpc({ calls: 2500, seed: 1 });
  t.same(report.failures, []);
  t.equal(report.calls, 2500);
  t.ok(report.methods > 85, `${report.methods} methods`);
  t.ok(report.methodsDone > 30, `${report.methodsDone} methods did something`);
});
