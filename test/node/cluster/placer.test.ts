import t from 'tap';
import { must } from '../../../node/base/assert.ts';
import { type Clock, systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId, ServerId } from '../../../node/base/ids.ts';
import { Prng } from '../../../node/base/prng.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { placementAdvert } from '../../../node/cluster/advert-mapping.ts';
import {
  type AddressedClaim,
  type ClaimAnswers,
  type ClaimTransport,
  GossipPlacer,
} from '../../../node/cluster/placer.ts';
import { ClaimBook } from '../../../node/host/claims/claim-book.ts';
import type { PlaceRequest } from '../../../node/services/kit/dependencies.ts';
import { memoryHostStore } from '../../../node/store/host/host-store.ts';
import { defaultConfiguration, HostColumns } from '../../../placement/index.ts';
import { shoal } from '../../../proto/messages.ts';

const signal = new AbortController().signal;
const flavor = new shoal.v1.Flavor({ id: 'f', name: 'f', vcpus: 1, memoryMib: 512, diskGib: 1, isPublic: true });

/** Hosts with real claim books, reached without a network. */
class Mesh implements ClaimTransport {
  readonly books = new Map<HostId, ClaimBook>();
  readonly unreachable = new Set<HostId>();
  /** Claims that each message held. */
  readonly messages: number[] = [];
  /** Called before a message is answered. */
  beforeAnswer: (() => void) | undefined;
  #sequence = 1;

  constructor(hosts: number, vcpus: number, clock: Clock = systemClock) {
    for (let n = 0; n < hosts; n++) {
      const pool = (total: number) => ({ total, reserved: 0, allocationRatio: 1 });
      const book = new ClaimBook(
        { store: memoryHostStore(), clock, onChange: () => {}, isApart: () => false },
        { vcpus: pool(vcpus), memoryMib: pool(1 << 20), diskGib: pool(1000), pciPools: [], numaCells: [] },
      );
      this.books.set(`${n}`.padStart(32, '0') as HostId, book);
    }
  }

  advert(hostId: HostId): shoal.v1.Advert {
    const usage = this.books.get(hostId)?.usage();
    return shoal.v1.Advert.create({
      hostId,
      hostName: `h${Number(hostId)}`,
      epoch: 1,
      sequence: this.#sequence++,
      vcpus: (usage?.vcpus.used ?? 0) + (usage?.vcpus.free ?? 0),
      memoryMib: 1 << 20,
      diskGib: 1000,
      vcpusRatio: 1,
      memoryRatio: 1,
      diskRatio: 1,
      vcpusUsed: usage?.vcpus.used ?? 0,
      memoryMibUsed: usage?.memoryMib.used ?? 0,
      diskGibUsed: usage?.diskGib.used ?? 0,
      storagePools: ['local'],
      enabled: true,
      zone: 'nova',
      hypervisorType: 'qemu',
      architecture: 'x86_64',
      hostIp: '192.0.2.1',
    });
  }

  async claim(hostId: HostId, request: shoal.v1.ClaimRequest): Promise<shoal.v1.ClaimResponse> {
    if (this.unreachable.has(hostId)) throw new ShoalError('UNAVAILABLE', 'no answer');
    const book = this.books.get(hostId);
    const { vcpus = 0, memoryMib = 0, diskGib = 0 } = request.resources ?? {};
    const admission = await book?.admit(
      {
        serverId: request.serverId as ServerId,
        generation: request.generation,
        needs: { vcpus, memoryMib, diskGib, pci: [] },
        ...(request.groupId === '' ? {} : { group: { id: request.groupId, membersMax: request.groupMembersMax } }),
      },
      request.ttlMs,
    );
    return shoal.v1.ClaimResponse.create({
      admitted: admission?.outcome === 'admitted',
      reason: admission?.outcome === 'refused' ? admission.text : '',
      // The test's placer reads the bytes as they are; signatures are the mesh's business.
      advert: { advert: shoal.v1.Advert.encode(this.advert(hostId)).finish() },
    });
  }

  async claimAll(claims: readonly AddressedClaim[]): Promise<ClaimAnswers> {
    this.messages.push(claims.length);
    this.beforeAnswer?.();
    const answers = await Promise.all(
      claims.map(({ hostId, request }) =>
        this.claim(hostId, request).catch((caught: unknown) => ShoalError.from(caught, 'UNAVAILABLE')),
      ),
    );
    return { answers, adverts: [] };
  }

  async release(hostId: HostId, request: shoal.v1.ReleaseClaimRequest): Promise<void> {
    await this.books.get(hostId)?.withdraw(request.serverId as ServerId, request.generation, 'agent');
  }

  /** An agent with a view of its own, as of now. */
  agent(seed: number): GossipPlacer {
    const columns = new HostColumns({ seed });
    for (const hostId of this.books.keys()) columns.upsert(placementAdvert(this.advert(hostId)));
    return new GossipPlacer(
      {
        columns,
        transport: this,
        acceptAdvert: (signed) => columns.upsert(placementAdvert(shoal.v1.Advert.decode(signed.advert))) === 'applied',
        clock: systemClock,
        prng: new Prng(seed),
        logger: silentLogger,
      },
      defaultConfiguration,
    );
  }
}

function request(serverId: string, more: Partial<PlaceRequest> = {}): PlaceRequest {
  return {
    serverId: serverId as ServerId,
    generation: 1,
    flavor,
    projectId: 'p',
    zone: '',
    storage: 'local',
    excludeHostIds: [],
    schedulerHints: {},
    ...more,
  };
}

t.test('agents with old views fill the hosts exactly and over-commit none', async (t) => {
  const mesh = new Mesh(4, 5);
  // Each agent's view is from before any of the others placed anything.
  const agents = [1, 2, 3].map((seed) => mesh.agent(seed));
  const outcomes = await Promise.allSettled(
    Array.from({ length: 30 }, (_, n) => must(agents[n % 3], 'an agent').place(request(`s${n}`), signal)),
  );
  const placed = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  t.equal(placed.length, 20, 'as many as there is room for');
  for (const book of mesh.books.values()) t.equal(book.usage().vcpus.used, 5);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') t.match(outcome.reason, { code: 'NO_VALID_HOST' });
  }
});

t.test('a host that does not answer is passed over, and what it may have admitted is given back', async (t) => {
  const mesh = new Mesh(2, 4);
  const [silent] = [...mesh.books.keys()];
  if (silent !== undefined) mesh.unreachable.add(silent);
  const placer = mesh.agent(1);
  for (let n = 0; n < 4; n++) t.not((await placer.place(request(`s${n}`), signal)).hostId, silent);
  await t.rejects(placer.place(request('one-too-many'), signal), {
    code: 'NO_VALID_HOST',
    facts: { hosts: [{ filter: 'CoreFilter' }, { filter: 'Claim', reason: /could not be asked/ }] },
  });
});

t.test('a released claim makes room again', async (t) => {
  const mesh = new Mesh(1, 1);
  const placer = mesh.agent(1);
  const placed = await placer.place(request('a'), signal);
  await t.rejects(placer.place(request('b'), signal), { code: 'NO_VALID_HOST' });
  await placed.release();
  const [hostId] = [...mesh.books.keys()];
  if (hostId !== undefined) placer.engine.columns.upsert(placementAdvert(mesh.advert(hostId)));
  t.equal((await placer.place(request('c'), signal)).hostName, 'h0');
});

t.test('no valid host is explained filter by filter, and host by host for administrators', async (t) => {
  const placer = new Mesh(3, 4).agent(1);
  const large = new shoal.v1.Flavor({ ...flavor, vcpus: 64 });
  await t.rejects(placer.place(request('a', { flavor: large }), signal), {
    code: 'NO_VALID_HOST',
    facts: { filters: [{ name: 'CoreFilter', removed: 3 }], hosts: [{ hostName: 'h0', filter: 'CoreFilter' }] },
  });
});

t.test('hints keep servers apart and together', async (t) => {
  const mesh = new Mesh(3, 8);
  const placer = mesh.agent(1);
  const first = await placer.place(request('a'), signal);
  const apart = await placer.place(request('b', { schedulerHints: { different_host: first.hostId } }), signal);
  t.not(apart.hostId, first.hostId);
  const together = await placer.place(request('c', { schedulerHints: { same_host: first.hostId } }), signal);
  t.equal(together.hostId, first.hostId);
});

const idsOf = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}${n}` as ServerId);

t.test('a batch goes out as one message and lands exactly', async (t) => {
  const mesh = new Mesh(4, 5);
  const placed = await mesh.agent(1).placeBatch(request(''), { serverIds: idsOf('s', 20), minCount: 20 }, signal);
  t.same(mesh.messages, [20]);
  t.same(
    placed.map((one) => one.serverId),
    idsOf('s', 20),
  );
  for (const book of mesh.books.values()) t.equal(book.usage().vcpus.used, 5);
});

t.test('a batch takes as many as fit, and fewer than the least number leave nothing behind', async (t) => {
  const mesh = new Mesh(2, 3);
  const placer = mesh.agent(1);
  await t.rejects(placer.placeBatch(request(''), { serverIds: idsOf('a', 9), minCount: 7 }, signal), {
    code: 'NO_VALID_HOST',
    message: /^No valid host was found\. Only 6 of 7 servers fit\. No valid host/,
  });
  for (const book of mesh.books.values()) t.equal(book.usage().servers, 0);
  const some = await placer.placeBatch(request(''), { serverIds: idsOf('b', 9), minCount: 2 }, signal);
  t.equal(some.length, 6);
});

t.test('a batch that a strict group does not allow is told so, with what it allows', async (t) => {
  const mesh = new Mesh(3, 5);
  const group = { id: 'g-1', policy: 'anti-affinity', maxServerPerHost: 1, memberHostIds: [] };
  const batch = { serverIds: idsOf('g', 4), minCount: 4 };
  await t.rejects(mesh.agent(1).placeBatch(request('', { group }), batch, signal), {
    code: 'NO_VALID_HOST',
    message:
      /^No valid host was found\. Only 3 of 4 servers fit\. The policy of their server group \(anti-affinity\) allows one on each host\. .*ServerGroupAntiAffinityFilter/,
  });
  for (const book of mesh.books.values()) t.equal(book.usage().servers, 0, 'nothing is left behind');
  await t.rejects(
    mesh
      .agent(2)
      .placeBatch(
        request('', { group: { ...group, policy: 'affinity' } }),
        { serverIds: idsOf('h', 6), minCount: 6 },
        signal,
      ),
    {
      message:
        /Only 5 of 6 servers fit\. The policy of their server group \(affinity\) wants all of them on one host\./,
    },
  );
});

t.test('agents with old views place batches at once: refused ones go elsewhere, halves are given back', async (t) => {
  const mesh = new Mesh(6, 10);
  const agents = [1, 2, 3].map((seed) => mesh.agent(seed));
  const outcomes = await Promise.allSettled(
    Array.from({ length: 9 }, (_, n) =>
      must(agents[n % 3], 'an agent').placeBatch(request(''), { serverIds: idsOf(`b${n}-`, 10), minCount: 10 }, signal),
    ),
  );
  const placed = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  const used = (): number => [...mesh.books.values()].reduce((sum, book) => sum + book.usage().vcpus.used, 0);
  // Giving back is not waited for.
  await new Promise((resolve) => setTimeout(resolve, 10));
  t.equal(used(), placed.length * 10, 'what did not become a whole batch holds nothing');
  t.ok(placed.length >= 4 && placed.length <= 6, `${placed.length} of at most six`);
  for (const outcome of outcomes) if (outcome.status === 'rejected') t.match(outcome.reason, { code: 'NO_VALID_HOST' });
});

t.test('a caller who gives up in the middle of a batch leaves no claim', async (t) => {
  const mesh = new Mesh(3, 4);
  const stop = new AbortController();
  mesh.beforeAnswer = () => stop.abort();
  await t.rejects(mesh.agent(1).placeBatch(request(''), { serverIds: idsOf('s', 6), minCount: 1 }, stop.signal), {
    code: 'CANCELLED',
  });
  await new Promise((resolve) => setTimeout(resolve, 10));
  for (const book of mesh.books.values()) t.equal(book.usage().servers, 0);
});

t.test(
  'members of a group that two agents place at once do not share a host: its host refuses the second',
  async (t) => {
    const mesh = new Mesh(4, 8);
    const group = { id: 'g-1', policy: 'anti-affinity', maxServerPerHost: 1, memberHostIds: [] };
    const agents = [mesh.agent(1), mesh.agent(2)];
    // Each agent knows of no member: only the hosts that they ask can tell.
    const placed = await Promise.all(
      ['a', 'b', 'c', 'd'].map((id, n) => must(agents[n % 2], 'an agent').place(request(id, { group }), signal)),
    );
    t.equal(new Set(placed.map((one) => one.hostId)).size, 4);
    await t.rejects(must(agents[0], 'an agent').place(request('e', { group }), signal), {
      code: 'NO_VALID_HOST',
      facts: { hosts: [{ filter: 'Claim', reason: /^1 members of server group g-1 are here already$/ }] },
    });
  },
);

t.test('members of one batch keep to their group', async (t) => {
  const policy = (name: string) => ({
    group: { id: 'g-1', policy: name, maxServerPerHost: 1, memberHostIds: [] as string[] },
  });
  const apart = await new Mesh(5, 8)
    .agent(1)
    .placeBatch(request('', policy('anti-affinity')), { serverIds: idsOf('s', 9), minCount: 1 }, signal);
  t.equal(apart.length, 5);
  t.equal(new Set(apart.map((one) => one.hostId)).size, 5);
  const together = await new Mesh(5, 8)
    .agent(1)
    .placeBatch(request('', policy('affinity')), { serverIds: idsOf('s', 8), minCount: 8 }, signal);
  t.equal(new Set(together.map((one) => one.hostId)).size, 1);
});
