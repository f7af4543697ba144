import t from 'tap';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { Comparison } from '../../../node/consensus/replica/comparison.ts';
import type { DigestMessage } from '../../../node/consensus/transport/transport.ts';
import { type ConfState, emptyConfState } from '../../../node/raft/index.ts';
import type { DigestValue } from '../../../node/state/digest.ts';

const right: DigestValue = { high: 1, low: 1 };
const wrong: DigestValue = { high: 2, low: 2 };
const other: DigestValue = { high: 3, low: 3 };

interface Place {
  applied: number;
  /** Of its state, whatever the revision; undefined: of a version without digests. */
  digest: DigestValue | undefined;
  /** Digests of earlier revisions are forgotten. */
  digestSince?: number;
}

/** Members that hand messages on at once; member 1 leads. */
class Mesh {
  readonly conf: ConfState;
  readonly places = new Map<number, Place>();
  readonly members = new Map<number, Comparison>();
  readonly diverged: number[] = [];
  /** Members told that no majority has one state, theirs being one of those that differ. */
  readonly undecided: number[] = [];
  /** Who was told so again, and of which revision. */
  readonly stillUndecided = new Set<string>();
  /** Members that fetch a snapshot from the leader. */
  readonly fetching = new Set<number>();
  /** Times that the leader said that it may vouch for more. */
  judged = 0;
  readonly sent: DigestMessage[] = [];
  readonly silent = new Set<number>();
  term = 5;

  constructor(conf: Partial<ConfState>, digests: readonly (DigestValue | undefined)[]) {
    this.conf = { ...emptyConfState, ...conf };
    digests.forEach((digest, at) => {
      const raftId = at + 1;
      const place: Place = { applied: 10, digest };
      this.places.set(raftId, place);
      this.members.set(
        raftId,
        new Comparison(
          {
            raftId,
            logger: silentLogger,
            nameOf: (member) => `host-${member}`,
            send: (message) => this.#send(message),
            term: () => this.term,
            confState: () => this.conf,
            appliedIndex: () => place.applied,
            digestAt: (revision) =>
              revision <= place.applied && revision >= (place.digestSince ?? 0) ? place.digest : undefined,
            isFetching: (member) => this.fetching.has(member),
            diverged: () => this.diverged.push(raftId),
            undecided: (revision, isNews) => {
              if (isNews) this.undecided.push(raftId);
              else this.stillUndecided.add(`${raftId} at ${revision}`);
            },
            judged: () => {
              this.judged += 1;
            },
          },
          50,
        ),
      );
    });
  }

  #send(message: DigestMessage): void {
    this.sent.push(message);
    const { to, from } = message;
    if (this.silent.has(to) || this.silent.has(from)) return;
    // An older version drops what it does not know.
    if (this.places.get(to)?.digest === undefined) return;
    this.members.get(to)?.onMessage(message);
  }

  get leader(): Comparison {
    const leader = this.members.get(1);
    if (leader === undefined) throw new Error('no leader');
    return leader;
  }

  /** Long enough for a round and for those who do not answer in it. */
  round(ticks = 80): void {
    for (let n = 0; n < ticks; n += 1) this.leader.tick(true, true);
  }
}

await t.test('three voters: the odd one is told and nobody else, whichever it is', (t) => {
  for (const odd of [1, 2, 3]) {
    const mesh = new Mesh(
      { voters: [1, 2, 3] },
      [1, 2, 3].map((member) => (member === odd ? wrong : right)),
    );
    mesh.round();
    t.same([...new Set(mesh.diverged)], [odd], `member ${odd}`);
    t.equal(mesh.leader.disagreement, undefined, 'writes go on');
    t.ok(mesh.leader.divergences > 0);
  }
  t.end();
});

await t.test('states that are the same are left alone, and are compared again and again', (t) => {
  const mesh = new Mesh({ voters: [1, 2, 3], learners: [4] }, [right, right, right, right]);
  mesh.round(600);
  t.same(mesh.diverged, []);
  t.ok(mesh.leader.rounds >= 10, `${mesh.leader.rounds} rounds`);
  t.equal(mesh.leader.divergences, 0);
  t.end();
});

await t.test('three voters with three states: nothing is given up, and nothing is written', (t) => {
  const mesh = new Mesh({ voters: [1, 2, 3] }, [right, wrong, other]);
  mesh.round();
  t.same(mesh.diverged, []);
  for (const [member, comparison] of mesh.members) t.ok(comparison.disagreement, `member ${member} knows`);
  t.same(mesh.undecided.sort(), [1, 2, 3], 'it is news to each once');
  t.match(mesh.leader.disagreement, /host-1 0000000100000001, host-2 0000000200000002, host-3 0000000300000003/);
  // People have set aside the state of the second, and it has come from the first.
  mesh.places.set(2, Object.assign(mesh.places.get(2) ?? { applied: 10 }, { digest: right }));
  mesh.round();
  for (const [member, comparison] of mesh.members) t.equal(comparison.disagreement, undefined, `member ${member}`);
  t.same([...new Set(mesh.diverged)], [3], 'now there is a majority');
  t.end();
});

await t.test('two of three differ and the third is away: it is waited for, and decides', (t) => {
  const mesh = new Mesh({ voters: [1, 2, 3] }, [wrong, right, right]);
  mesh.silent.add(3);
  mesh.round();
  t.same(mesh.diverged, []);
  t.ok(mesh.leader.disagreement);
  mesh.silent.clear();
  mesh.round();
  t.equal(mesh.leader.disagreement, undefined);
  t.same([...new Set(mesh.diverged)], [1]);
  t.end();
});

await t.test('two replicas: nobody can tell which is right; one alone has nobody to be compared with', (t) => {
  const two = new Mesh({ voters: [1], learners: [2] }, [right, wrong]);
  two.round();
  t.same(two.diverged, []);
  t.ok(two.leader.disagreement);
  const alone = new Mesh({ voters: [1] }, [wrong]);
  alone.round();
  t.equal(alone.leader.disagreement, undefined);
  t.equal(alone.sent.length, 0);
  t.end();
});

await t.test(
  'one voter with learners: an odd learner is told; an odd voter cannot be repaired, so writes stop',
  (t) => {
    const learner = new Mesh({ voters: [1], learners: [2, 3] }, [right, right, wrong]);
    learner.round();
    t.same([...new Set(learner.diverged)], [3]);
    t.equal(learner.leader.disagreement, undefined);
    const voter = new Mesh({ voters: [1], learners: [2, 3] }, [wrong, right, right]);
    voter.round();
    t.same(voter.diverged, [], 'who would lead while it is repaired?');
    t.ok(voter.leader.disagreement);
    t.end();
  },
);

await t.test('learners do not outvote three voters, and one that differs is told', (t) => {
  const mesh = new Mesh({ voters: [1, 2, 3], learners: [4, 5, 6, 7] }, [
    right,
    right,
    right,
    wrong,
    wrong,
    wrong,
    wrong,
  ]);
  mesh.round();
  t.same([...new Set(mesh.diverged)].sort(), [4, 5, 6, 7]);
  t.end();
});

await t.test('in a joint membership both majorities must hold it', (t) => {
  const mesh = new Mesh({ voters: [1, 2, 3], votersOutgoing: [1, 4, 5] }, [right, right, right, wrong, wrong]);
  mesh.round();
  t.same(mesh.diverged, []);
  t.ok(mesh.leader.disagreement);
  t.end();
});

await t.test('a member of a version without digests is not compared', (t) => {
  const mesh = new Mesh({ voters: [1, 2, 3] }, [right, undefined, right]);
  mesh.round();
  t.same(mesh.diverged, []);
  t.equal(mesh.leader.disagreement, undefined);
  t.end();
});

await t.test('a member that is behind answers when it is there, and one that cannot tell any more is left out', (t) => {
  const mesh = new Mesh({ voters: [1, 2, 3] }, [right, right, right]);
  const behind = mesh.places.get(2);
  if (behind === undefined) throw new Error('no place');
  behind.applied = 7;
  behind.digest = wrong;
  mesh.leader.tick(false, false);
  mesh.round(11);
  t.match(
    mesh.sent.filter(({ type, from }) => type === 'DigestTell' && from === 2),
    [{ revision: 7, asked: 10 }],
    'until then it says what it has',
  );
  t.equal(mesh.leader.divergences, 0, 'which is not compared: it comes there by itself');
  behind.applied = 12;
  behind.digest = right;
  mesh.members.get(2)?.applied();
  t.match(
    mesh.sent.filter(({ type, from }) => type === 'DigestTell' && from === 2),
    [{ revision: 7 }, { revision: 10, digest: right, asked: undefined }],
  );
  t.same(mesh.diverged, []);
  t.end();
});

await t.test('an answer to another comparison is not compared', (t) => {
  const mesh = new Mesh({ voters: [1, 2, 3] }, [right, right, right]);
  mesh.silent.add(2);
  mesh.round(12);
  const late = { type: 'DigestTell', to: 1, from: 2, term: 5, digest: wrong } as const;
  mesh.leader.onMessage({ ...late, revision: 9 });
  mesh.leader.onMessage({ ...late, revision: 10, from: 9 });
  mesh.round();
  t.same(mesh.diverged, []);
  t.equal(mesh.leader.divergences, 0);
  t.end();
});

await t.test('the verdict of a leader of a former term, or on a revision long past, moves nobody', (t) => {
  const mesh = new Mesh({ voters: [1, 2, 3] }, [right, right, right]);
  const verdict = { type: 'DigestVerdict', to: 2, from: 1, digest: wrong } as const;
  mesh.members.get(2)?.onMessage({ ...verdict, term: 4, revision: 10 });
  mesh.members.get(2)?.onMessage({ ...verdict, term: 5, revision: 99 });
  t.same(mesh.diverged, []);
  mesh.members.get(2)?.onMessage({ ...verdict, term: 5, revision: 10 });
  t.same(mesh.diverged, [2]);
  t.end();
});

await t.test('a copy of the state is given away only when it was compared after it was taken', (t) => {
  const mesh = new Mesh({ voters: [1, 2, 3] }, [right, right, right]);
  t.equal(mesh.leader.vouches(10), 'not-yet', 'this node does not lead yet');
  mesh.leader.tick(true, true);
  t.equal(mesh.leader.vouches(10), 'yes', 'a round begins at once, and two answers are enough');
  for (const place of mesh.places.values()) place.applied = 20;
  mesh.silent.add(2);
  mesh.silent.add(3);
  t.equal(mesh.leader.vouches(20), 'not-yet', 'nobody has answered for the newer one');
  t.equal(mesh.leader.vouches(10), 'yes', 'the older one was compared');
  mesh.round(30);
  t.equal(mesh.leader.vouches(20), 'yes', 'nobody who can speak differs');
  t.ok(mesh.judged >= 2);
  mesh.leader.tick(false, false);
  mesh.leader.tick(true, true);
  t.equal(mesh.leader.vouches(20), 'not-yet', 'what was found in an earlier reign counts no more');
  t.end();
});

await t.test('an odd leader gives its state to nobody, though the third member has none', (t) => {
  const mesh = new Mesh({ voters: [1, 2, 3] }, [wrong, right, right]);
  mesh.fetching.add(3);
  mesh.places.set(3, Object.assign(mesh.places.get(3) ?? { digest: right }, { applied: 0 }));
  mesh.leader.tick(true, true);
  t.equal(mesh.leader.vouches(10), 'no');
  t.same(mesh.undecided.sort(), [1, 2], 'those two read their rows again');
  mesh.round();
  t.equal(mesh.leader.vouches(10), 'no');
  t.same(mesh.undecided, [1, 2], 'it is news once');
  t.same(
    [...mesh.stillUndecided].sort(),
    ['1 at 10', '2 at 10'],
    'and is said again: they may not have read that revision',
  );
  t.end();
});

/** Three members: states differed at revision 10, and now the leader has come further than the others can by themselves. */
function afterADispute(): Mesh {
  const mesh = new Mesh({ voters: [1, 2, 3] }, [right, wrong, undefined]);
  mesh.round();
  if (mesh.leader.disagreement === undefined) throw new Error('two states are no majority');
  for (const [raftId, place] of mesh.places) {
    mesh.fetching.add(raftId);
    if (raftId === 1) place.applied = 20;
    else Object.assign(place, { applied: 0, digest: right });
  }
  return mesh;
}

await t.test('when all that differed have lost their states the leader goes on with its own', (t) => {
  const lost = afterADispute();
  lost.round();
  t.equal(lost.leader.disagreement, undefined);
  t.equal(lost.leader.vouches(20), 'yes');

  const lagging = afterADispute();
  Object.assign(lagging.places.get(3) ?? {}, { applied: 9 });
  lagging.round();
  t.equal(lagging.leader.disagreement, undefined, 'who had not come so far was no party to it');

  const party = afterADispute();
  Object.assign(party.places.get(1) ?? {}, { digestSince: 20 });
  Object.assign(party.places.get(2) ?? {}, { applied: 12 });
  party.round();
  t.match(
    party.leader.disagreement,
    /no majority/,
    'one of them has its state still, and the leader does not know what its own was there',
  );
  t.equal(party.leader.vouches(20), 'no');

  const agreeing = afterADispute();
  Object.assign(agreeing.places.get(2) ?? {}, { applied: 12 });
  agreeing.round();
  t.equal(agreeing.leader.disagreement, undefined, 'who holds what the leader held there does not differ');

  const together = afterADispute();
  Object.assign(together.places.get(3) ?? {}, { applied: 20 });
  together.fetching.delete(3);
  together.round();
  t.equal(together.leader.disagreement, undefined, 'another one holds what the leader holds');

  const silent = afterADispute();
  silent.silent.add(2);
  silent.round();
  t.match(silent.leader.disagreement, /no majority/, 'one that does not answer may have it');
  t.end();
});

await t.test('a leader that heard of a dispute before it led compares for those who wait for its state', (t) => {
  const mesh = new Mesh({ voters: [1, 2, 3] }, [right, right, right]);
  const verdict = { type: 'DigestVerdict', to: 1, from: 2, term: 5, revision: 10, digest: undefined } as const;
  mesh.leader.onMessage(verdict);
  for (const [raftId, place] of mesh.places) {
    place.applied = raftId === 1 ? 20 : raftId === 2 ? 0 : 9;
    if (raftId !== 1) mesh.fetching.add(raftId);
  }
  // Nothing of its own term is committed before one of them has a state.
  const isCaughtUp = false;
  for (let tick = 0; tick < 15; tick += 1) mesh.leader.tick(true, isCaughtUp);
  t.equal(mesh.leader.rounds, 0, 'it does not compare by itself');
  mesh.leader.vouches(20);
  t.equal(mesh.leader.vouches(20), 'yes', 'neither of the others had come to what was disputed');
  t.equal(mesh.leader.disagreement, undefined);
  t.end();
});

await t.test('a leader that has come further is right if a majority had its state where states differed', (t) => {
  for (const [third, expected] of [
    [right, 'yes'],
    [wrong, 'no'],
  ] as const) {
    const mesh = new Mesh({ voters: [1, 2, 3] }, [right, wrong, third]);
    const verdict = { type: 'DigestVerdict', to: 1, from: 2, term: 5, revision: 10, digest: undefined } as const;
    mesh.leader.onMessage(verdict);
    for (const [raftId, place] of mesh.places) {
      if (raftId === 1) Object.assign(place, { applied: 500, digestSince: 400 });
      else mesh.fetching.add(raftId);
      if (raftId === 2) place.applied = 0;
    }
    mesh.round(40);
    t.equal(mesh.leader.vouches(500), expected, `the third had the ${third === right ? 'same' : 'other'}`);
  }
  t.end();
});

await t.test(
  'a leader that differs from one left behind at the revision which that one has gives its state to nobody',
  (t) => {
    const mesh = new Mesh({ voters: [1, 2, 3] }, [right, right, right]);
    for (const raftId of [2, 3]) mesh.fetching.add(raftId);
    for (const [raftId, place] of mesh.places) place.applied = raftId === 1 ? 20 : 8;
    t.equal(mesh.leader.vouches(20), 'not-yet');
    mesh.round();
    t.equal(mesh.leader.vouches(20), 'yes', 'they had the same');
    Object.assign(mesh.places.get(3) ?? {}, { digest: wrong });
    mesh.round(60);
    t.match(mesh.leader.disagreement, /at revision 8/);
    t.equal(mesh.leader.vouches(21), 'no');
    t.end();
  },
);

await t.test('an answer to an earlier question says nothing of what a member has now', (t) => {
  const mesh = afterADispute();
  mesh.silent.add(2);
  mesh.round(12);
  const late = { type: 'DigestTell', to: 1, from: 2, digest: right, revision: 3 } as const;
  mesh.leader.onMessage({ ...late, term: 5, asked: 10 });
  mesh.leader.onMessage({ ...late, term: 4, asked: 20 });
  mesh.round();
  t.match(mesh.leader.disagreement, /no majority/);
  t.end();
});

await t.test('the only member with a state gives it away at once', (t) => {
  const mesh = new Mesh({ voters: [1], learners: [2] }, [right, right]);
  mesh.fetching.add(2);
  mesh.leader.tick(true, true);
  t.equal(mesh.leader.vouches(10), 'yes');
  t.end();
});

await t.test('a leader that can commit nothing yet compares where a snapshot waits for it, and not otherwise', (t) => {
  const mesh = new Mesh({ voters: [1, 2, 3] }, [right, right, right]);
  for (let n = 0; n < 80; n += 1) mesh.leader.tick(true, false);
  t.equal(mesh.leader.rounds, 0);
  t.equal(mesh.leader.vouches(10), 'yes');
  t.equal(mesh.leader.rounds, 1);
  t.end();
});
