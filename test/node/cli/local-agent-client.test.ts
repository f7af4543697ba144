/** A call that misses something in the slice of the agent is made again; any other failure is told at once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChannelCredentials } from '@grpc/grpc-js';
import t from 'tap';
import { systemClock } from '../../../node/base/clock.ts';
import { type ErrorCode, ShoalError } from '../../../node/base/errors.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { LocalAgentClient } from '../../../node/cli/kit/local-agent-client.ts';
import { peerClientLimits, peerServerLimits } from '../../../node/mesh/peers/peer-limits.ts';
import { GrpcServer } from '../../../node/rpc/server.ts';
import { peerErrorView } from '../../../node/rpc/status.ts';
import { shoal } from '../../../proto/messages.ts';

await t.test('what is not in the slice is asked for again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-local-client-'));
  const failures: ErrorCode[] = [];
  let asked = 0;
  const server = new GrpcServer(
    { clock: systemClock, logger: silentLogger },
    { limits: peerServerLimits, errorView: peerErrorView },
  );
  server.add<shoal.v1.JoinService, null>({
    service: shoal.v1.JoinService,
    admit: () => null,
    handlers: {
      join: async () => {
        asked += 1;
        const code = failures.shift();
        if (code !== undefined) throw new ShoalError(code, 'as planned');
        return {};
      },
      renew: async () => ({}),
    },
  });
  const address = `unix:${join(folder, 'socket')}`;
  await server.listen(address);
  const client = new LocalAgentClient(address, ChannelCredentials.createInsecure(), peerClientLimits);
  t.teardown(async () => {
    client.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const { join: call } = client.calls(shoal.v1.JoinService);

  failures.push('NOT_IN_SLICE', 'NOT_IN_SLICE');
  await call({}, { timeoutMs: 10_000 });
  t.equal(asked, 3, 'twice in vain, then answered');

  failures.push('CONFLICT');
  await t.rejects(call({}, { timeoutMs: 10_000 }), { code: 'CONFLICT' });
  t.equal(asked, 4, 'an answer is an answer');
});
