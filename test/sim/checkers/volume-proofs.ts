/** The proofs of what must hold of volumes. */
import { ContentChecker } from '../../../sim/checkers/contents.ts';
import type { Invariant } from '../../../sim/checkers/invariants.ts';
import { checkVolumeUses, VolumeChecker } from '../../../sim/checkers/volumes.ts';
import { on, type Proof, type Trace } from './proof.ts';

const uses =
  (volumes: Readonly<Record<string, readonly string[]>>, ...plugged: readonly (readonly [string, string])[]): Trace =>
  (report) =>
    checkVolumeUses(
      Object.entries(volumes).map(([id, serverIds]) => ({ id, serverIds, multiattach: id.startsWith('shared') })),
      plugged.map(([serverId, volumeId]) => ({ serverId, volumeId })),
      report,
    );
const volume = on((report) => new VolumeChecker(report));
const contents = on((report) => new ContentChecker(report));

export const volumeProofs = {
  'volume-attached-once': {
    keeps: [
      uses({ v: [], w: [] }),
      uses({ v: ['s'], w: ['s'] }, ['s', 'v'], ['s', 'w']),
      uses({ shared: ['s', 't'] }, ['s', 'shared'], ['t', 'shared']),
    ],
    breaks: [uses({ v: ['s', 't'] }, ['s', 'v'], ['t', 'v']), uses({ v: ['s'] }), uses({ v: [] }, ['s', 'v'])],
  },
  'snapshot-is-its-instant': {
    keeps: [
      volume((v) => v.keeps('v', 'a', 'one')),
      volume((v) => {
        v.keeps('v', 'a', 'one');
        v.holds('v', 'a', 'one');
      }),
      // Asked for again, as nobody heard the first answer.
      volume((v) => {
        v.keeps('v', 'a', 'one');
        v.keeps('v', 'a', 'two');
        v.holds('v', 'a', 'one');
      }),
    ],
    breaks: [
      volume((v) => v.holds('v', 'a', 'one')),
      volume((v) => {
        v.keeps('v', 'a', 'one');
        v.holds('v', 'a', 'two');
      }),
      volume((v) => {
        v.keeps('v', 'a', 'one');
        v.holds('v', 'b', 'one');
      }),
    ],
  },
  'volume-keeps-its-content': {
    keeps: [
      // What nobody was promised may be anything.
      contents((c) => c.holds('v', 'local', undefined)),
      contents((c) => {
        c.becomes('v', ['']);
        c.holds('v', 'local', '');
        c.writes('v', 'one');
        c.holds('v', 'local', 'one');
        c.holds('v', 'rbd', 'one');
      }),
      contents((c) => {
        c.writes('v', 'one');
        c.becomes('v', ['nil', 'two']);
        c.holds('v', 'local', 'two');
        c.forget('v');
        c.holds('v', 'local', 'one');
      }),
    ],
    breaks: [
      // A write that was lost in a move.
      contents((c) => {
        c.writes('v', 'one');
        c.writes('v', 'two');
        c.holds('v', 'rbd', 'one');
      }),
      // Put back to something else.
      contents((c) => {
        c.writes('v', 'one');
        c.becomes('v', ['two']);
        c.holds('v', 'local', 'one');
      }),
      contents((c) => {
        c.becomes('v', ['']);
        c.holds('v', 'local', undefined);
      }),
    ],
  },
  'group-kept-at-one-instant': {
    keeps: [
      contents((c) => {
        c.writes('v', 'v1');
        c.writes('w', 'w1');
        c.groupKept('g', [
          { volumeId: 'v', content: 'v1' },
          { volumeId: 'w', content: 'w1' },
        ]);
      }),
      contents((c) => {
        c.writes('v', 'v1');
        c.writes('w', 'w1');
        c.writes('v', 'v2');
        c.writes('w', 'w2');
        c.groupKept('g', [
          { volumeId: 'v', content: 'v2' },
          { volumeId: 'w', content: 'w1' },
        ]);
      }),
      // One of which nothing was written, and one that was put back.
      contents((c) => {
        c.becomes('w', ['w0']);
        c.writes('v', 'v1');
        c.writes('v', 'v2');
        c.groupKept('g', [
          { volumeId: 'v', content: 'v1' },
          { volumeId: 'w', content: 'w0' },
        ]);
      }),
    ],
    breaks: [
      contents((c) => {
        c.writes('v', 'v1');
        c.writes('v', 'v2');
        c.writes('w', 'w1');
        c.groupKept('g', [
          { volumeId: 'v', content: 'v1' },
          { volumeId: 'w', content: 'w1' },
        ]);
      }),
      contents((c) => {
        c.writes('w', 'w1');
        c.writes('w', 'w2');
        c.writes('v', 'v1');
        c.groupKept('g', [
          { volumeId: 'v', content: 'v1' },
          { volumeId: 'w', content: 'w1' },
        ]);
      }),
      contents((c) => {
        c.writes('u', 'u1');
        c.writes('v', 'v1');
        c.writes('u', 'u2');
        c.writes('w', 'w1');
        c.groupKept('g', [
          { volumeId: 'u', content: 'u1' },
          { volumeId: 'v', content: 'v1' },
          { volumeId: 'w', content: 'w1' },
        ]);
      }),
    ],
  },
} as const satisfies Readonly<Partial<Record<Invariant, Proof>>>;
