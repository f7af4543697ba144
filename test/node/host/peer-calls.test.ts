import t from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId } from '../../../node/base/ids.ts';
import { PeerCalls } from '../../../node/host/peer-calls.ts';
import type { HostCalls, PeerChannel } from '../../../node/host/peer-channel.ts';
import type { HostHandlers } from '../../../node/host/peer-handlers.ts';
import { shoal } from '../../../proto/messages.ts';

const self = 'a'.repeat(32) as HostId;
const far = 'b'.repeat(32) as HostId;
const farther = 'c'.repeat(32) as HostId;
const { signal } = new AbortController();

const refused = async (): Promise<never> => {
  throw new ShoalError('NOT_IMPLEMENTED', 'not asked for in this test');
};

/** A channel whose hosts answer as told, and what was asked of them. */
function channel(answers: Partial<HostCalls>): PeerChannel & { readonly asked: string[] } {
  const asked: string[] = [];
  const callsOf = (hostId: HostId): HostCalls => {
    const told = (name: string): void => void asked.push(`${name} ${hostId[0]}`);
    return {
      claim: (request, options) => {
        told('claim');
        return (answers.claim ?? refused)(request, options);
      },
      claimBatch: (request, options) => {
        told('claimBatch');
        return (answers.claimBatch ?? refused)(request, options);
      },
      releaseClaim: (request, options) => {
        told('releaseClaim');
        return (answers.releaseClaim ?? refused)(request, options);
      },
      probe: (request, options) => (answers.probe ?? refused)(request, options),
      consoleLog: (request, options) => (answers.consoleLog ?? refused)(request, options),
      askGuest: (request, options) => {
        told('askGuest');
        return (answers.askGuest ?? refused)(request, options);
      },
      fetchBlob: () => {
        throw new ShoalError('NOT_IMPLEMENTED', 'not asked for in this test');
      },
    };
  };
  return {
    asked,
    call: async (hostId, make) => make(callsOf(hostId)),
    stream: (hostId, make) => make(callsOf(hostId)),
  };
}

/** What this host answers itself: it admits. */
function own(asked: string[]): HostHandlers {
  return {
    claim: async () => {
      asked.push('own claim');
      return { admitted: true, countedSequence: 4 };
    },
    claimBatch: async ({ claims }) => {
      asked.push(`own claimBatch of ${claims.length}`);
      return { answers: claims.map(() => ({ admitted: true })) };
    },
    releaseClaim: async () => {
      asked.push('own releaseClaim');
      return {};
    },
    consoleLog: async () => ({ data: new Uint8Array([1]) }),
    askGuest: async () => {
      asked.push('own askGuest');
      return {};
    },
    console: () => {
      throw new ShoalError('NOT_FOUND', 'not here');
    },
    fetchBlob: () => {
      throw new ShoalError('NOT_FOUND', 'not here');
    },
  };
}

const claimOf = (hostId: HostId, serverId: string) => ({
  hostId,
  request: new shoal.v1.ClaimRequest({ serverId, hostId, generation: 1 }),
});

await t.test('many claims are one call a host, and each answer finds its claim', async (t) => {
  const peers = channel({
    claimBatch: async ({ claims }) =>
      new shoal.v1.ClaimBatchResponse({
        answers: (claims ?? []).map(({ serverId }) => ({ admitted: serverId !== 's3', reason: serverId ?? '' })),
        adverts: [new shoal.v1.SignedAdvert({ advert: new Uint8Array([7]) })],
      }),
    claim: async ({ serverId }) => new shoal.v1.ClaimResponse({ admitted: true, reason: serverId ?? '' }),
  });
  const calls = new PeerCalls(peers, self, own(peers.asked));
  const claims = [
    claimOf(far, 's1'),
    claimOf(self, 's2'),
    claimOf(far, 's3'),
    claimOf(farther, 's4'),
    claimOf(self, 's5'),
  ];
  const { answers, adverts } = await calls.claimAll(claims, signal);
  t.same(
    answers.map((answer) => (answer instanceof ShoalError ? answer.code : answer.admitted)),
    [true, true, false, true, true],
  );
  t.equal((answers[2] as shoal.v1.ClaimResponse).reason, 's3');
  t.same([...peers.asked].sort(), ['claim c', 'claimBatch b', 'own claimBatch of 2']);
  t.same(
    adverts.map(({ advert }) => advert[0]),
    [7],
  );
});

await t.test('a host of a version without batches is asked one by one; one that fails is an answer', async (t) => {
  const peers = channel({
    claimBatch: refused,
    claim: async ({ serverId }) => {
      if (serverId === 's2') throw new ShoalError('UNAVAILABLE', 'gone in between');
      return new shoal.v1.ClaimResponse({ admitted: true });
    },
  });
  const { answers } = await new PeerCalls(peers, self, own([])).claimAll(
    [claimOf(far, 's1'), claimOf(far, 's2')],
    signal,
  );
  t.equal((answers[0] as shoal.v1.ClaimResponse).admitted, true);
  t.equal((answers[1] as ShoalError).code, 'UNAVAILABLE');
  t.same(peers.asked, ['claimBatch b', 'claim b', 'claim b']);
});

await t.test('a call to this host itself needs no channel', async (t) => {
  const asked: string[] = [];
  const calls = new PeerCalls(channel({}), self, own(asked));
  t.equal((await calls.claim(self, claimOf(self, 's1').request, signal)).countedSequence, 4);
  await calls.release(self, new shoal.v1.ReleaseClaimRequest({ serverId: 's1', generation: 1 }));
  t.same([...(await calls.consoleLog(self, 's1', 10, signal))], [1]);
  t.equal(await calls.answers(self, signal), true);
  t.same(asked, ['own claim', 'own releaseClaim']);
});

await t.test('a host that does not answer a probe is not there; a caller who gives up is told so', async (t) => {
  const silent = channel({
    probe: async () => {
      throw new ShoalError('UNAVAILABLE', 'no answer');
    },
  });
  const calls = new PeerCalls(silent, self, own([]));
  t.equal(await calls.answers(far, signal), false);
  await t.rejects(calls.answers(far, AbortSignal.abort()), { code: 'UNAVAILABLE' });
});
