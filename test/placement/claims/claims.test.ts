import fc from 'fast-check';
import t from 'tap';
import type { ServerId } from '../../../node/base/ids.ts';
import { Prng } from '../../../node/base/prng.ts';
import {
  type Claim,
  ClaimLedger,
  type ClaimRecord,
  claimKeyText,
  defaultClaimLimits,
  type HostCapacity,
  type LedgerChange,
} from '../../../placement/index.ts';

const capacity: HostCapacity = {
  vcpus: { total: 8, reserved: 0, allocationRatio: 2 },
  memoryMib: { total: 16_384, reserved: 1024, allocationRatio: 1 },
  diskGib: { total: 200, reserved: 0, allocationRatio: 1 },
  pciPools: [{ vendorId: '10de', productId: '1eb8', numaNode: 0, physicalNetwork: '', total: 2, free: 2 }],
  numaCells: [{ id: 0, cpus: 8, cpusPinned: 0, memoryMib: 16_384, memoryUsedMib: 0, pages: [] }],
};

function claim(parts: Partial<Omit<Claim, 'serverId'>> & { server?: string } = {}): Claim {
  const { server = 'a', ...rest } = parts;
  return {
    serverId: server as ServerId,
    generation: 1,
    needs: { vcpus: 2, memoryMib: 4096, diskGib: 20, pci: [] },
    expiresAtMs: 1_000,
    ...rest,
  };
}

/** What a disk would hold after these changes. */
function applyChanges(disk: Map<string, ClaimRecord>, changes: readonly LedgerChange[]): void {
  for (const change of changes) {
    if (change.kind === 'put') disk.set(claimKeyText(change.record), change.record);
    else disk.delete(claimKeyText(change.key));
  }
}

void t.test('a claim that fits is admitted, and asking again changes nothing', (t) => {
  const ledger = ClaimLedger.restore(capacity);
  const first = ledger.admit(claim(), 0);
  t.equal(first.outcome, 'admitted');
  t.equal(first.changes.length, 1);
  const again = ledger.admit(claim(), 0);
  t.equal(again.outcome, 'admitted');
  t.equal(again.changes.length, 0);
  t.equal(ledger.usage().vcpus.used, 2);
  t.end();
});

void t.test('refusals name what is short and change nothing', (t) => {
  const need = { vcpus: 1, memoryMib: 1024, diskGib: 1, pci: [] };
  const cases: readonly (readonly [string, Partial<Claim>, string])[] = [
    ['more vCPUs than the machine has', { needs: { ...need, vcpus: 9 } }, 'vcpus'],
    ['more memory than is free', { needs: { ...need, memoryMib: 15_361 } }, 'memoryMib'],
    ['more disk than there is', { needs: { ...need, diskGib: 201 } }, 'diskGib'],
    [
      'devices that are not there',
      { needs: { ...need, pci: [{ count: 3, vendorId: '10de', productId: '', physicalNetwork: '' }] } },
      'devices',
    ],
    [
      'a NUMA cell that is too large',
      { needs: { ...need, numa: { cells: [{ vcpus: 9, memoryMib: 1024 }], dedicated: true, pageSizeKib: 0 } } },
      'numa',
    ],
    ['an expiry in the past', { expiresAtMs: 5 }, 'malformed'],
    ['a negative amount', { needs: { ...need, vcpus: -1 } }, 'malformed'],
    ['an amount that is not a number', { needs: { ...need, memoryMib: Number.NaN } }, 'malformed'],
  ];
  for (const [name, parts, why] of cases) {
    const ledger = ClaimLedger.restore(capacity);
    const answer = ledger.admit(claim(parts), 10);
    t.match(answer, { outcome: 'refused', why, changes: [] }, name);
    t.equal(ledger.records().length, 0, name);
  }
  t.end();
});

void t.test('an unbound claim expires and its late copy is not admitted; a bound one stays', (t) => {
  const ledger = ClaimLedger.restore(capacity);
  ledger.admit(claim({ server: 'a' }), 0);
  ledger.admit(claim({ server: 'b' }), 0);
  t.equal(ledger.bind({ serverId: 'b' as ServerId, generation: 1 }).outcome, 'done');
  t.equal(ledger.expire(999).expired.length, 0);
  t.same(
    ledger.expire(1_000).expired.map((r) => r.serverId),
    ['a'],
  );
  t.equal(ledger.usage().vcpus.used, 2);
  t.match(ledger.admit(claim({ server: 'a', expiresAtMs: 9_000 }), 1_001), { outcome: 'refused', why: 'gone' });
  t.equal(ledger.admit(claim({ server: 'a', generation: 2, expiresAtMs: 9_000 }), 1_001).outcome, 'admitted');
  t.end();
});

void t.test('a claim released before it arrives is refused when it does', (t) => {
  const ledger = ClaimLedger.restore(capacity);
  t.equal(ledger.release({ serverId: 'a' as ServerId, generation: 1 }, 0).outcome, 'unknown');
  t.match(ledger.admit(claim(), 1), { outcome: 'refused', why: 'gone' });
  ledger.expire(defaultClaimLimits.tombstoneMs + 1);
  t.equal(ledger.admit(claim({ expiresAtMs: 1e9 }), defaultClaimLimits.tombstoneMs + 1).outcome, 'admitted');
  t.end();
});

void t.test('an asker takes back only its own claim, and nothing that is bound', (t) => {
  const key = { serverId: 'a' as ServerId, generation: 1 };
  const disk = new Map<string, ClaimRecord>();
  const ledger = ClaimLedger.restore(capacity);
  applyChanges(disk, ledger.admit(claim({ asker: 'one' }), 0).changes);
  t.equal(ledger.withdraw(key, 'two', 1).changes.length, 0, 'two was told nothing');
  applyChanges(disk, ledger.admit(claim({ asker: 'two' }), 2).changes);
  applyChanges(disk, ledger.withdraw(key, 'one', 3).changes);
  t.equal(ledger.usage().vcpus.used, 2, 'two was told yes');
  const restarted = ClaimLedger.restore(capacity, disk.values());
  for (const each of [ledger, restarted]) {
    t.equal(each.bind(key).outcome, 'done');
    t.equal(each.withdraw(key, 'two', 4).outcome, 'unknown');
    t.equal(each.usage().vcpus.used, 2, 'a bound claim is the records to end');
    t.equal(each.release(key, 5).outcome, 'done');
    t.equal(each.usage().vcpus.used, 0);
  }
  t.end();
});

void t.test('the last asker that withdraws frees the room, and its late copy is refused', (t) => {
  const key = { serverId: 'a' as ServerId, generation: 1 };
  const ledger = ClaimLedger.restore(capacity);
  for (const asker of ['one', 'one', 'two']) t.equal(ledger.admit(claim({ asker }), 0).outcome, 'admitted');
  ledger.withdraw(key, 'two', 1);
  ledger.withdraw(key, 'two', 1);
  t.equal(ledger.usage().vcpus.used, 2, 'one was told yes');
  ledger.withdraw(key, 'one', 1);
  t.equal(ledger.usage().vcpus.used, 0);
  t.match(ledger.admit(claim({ asker: 'one' }), 2), { outcome: 'refused', why: 'gone' });
  t.end();
});

void t.test('a placement that tries again is another asker: the tombstone of its first try does not refuse it', (t) => {
  const key = { serverId: 'a' as ServerId, generation: 1 };
  const disk = new Map<string, ClaimRecord>();
  const ledger = ClaimLedger.restore(capacity);
  applyChanges(disk, ledger.admit(claim({ asker: 'h1/1' }), 0).changes);
  applyChanges(disk, ledger.withdraw(key, 'h1/1', 1).changes);
  applyChanges(disk, ledger.withdraw(key, 'h1/3', 1).changes);
  for (const each of [ledger, ClaimLedger.restore(capacity, disk.values())]) {
    t.match(each.admit(claim({ asker: 'h1/1', expiresAtMs: 1e6 }), 2), { outcome: 'refused', why: 'gone' });
    t.match(each.admit(claim({ asker: 'h1/3', expiresAtMs: 1e6 }), 2), { outcome: 'refused', why: 'gone' });
    const admission = each.admit(claim({ asker: 'h1/2', expiresAtMs: 1e6 }), 3);
    t.equal(admission.outcome, 'admitted');
    if (each === ledger) applyChanges(disk, admission.changes);
    t.match(each.admit(claim({ asker: 'h1/1', expiresAtMs: 1e6 }), 4), { outcome: 'refused', why: 'gone' });
    // What is stored under the claim's key is the claim: the end of the tombstone does not take it away.
    const { changes } = each.expire(defaultClaimLimits.tombstoneMs + 2);
    t.same(changes, []);
    t.equal(each.usage().vcpus.used, 2);
  }
  const after = ClaimLedger.restore(capacity, disk.values());
  t.equal(after.usage().vcpus.used, 2, 'nor does a restart');
  t.match(after.admit(claim({ asker: 'h1/1', expiresAtMs: 1e6 }), 5), { outcome: 'refused', why: 'gone' });
  t.end();
});

void t.test('an asker that withdrew beside another is remembered: its late copy does not hold the room again', (t) => {
  const key = { serverId: 'a' as ServerId, generation: 1 };
  const ledger = ClaimLedger.restore(capacity);
  for (const asker of ['one', 'two']) ledger.admit(claim({ asker }), 0);
  ledger.withdraw(key, 'one', 1);
  t.match(ledger.admit(claim({ asker: 'one' }), 2), { outcome: 'refused', why: 'gone' });
  ledger.withdraw(key, 'two', 3);
  for (const asker of ['one', 'two']) t.match(ledger.admit(claim({ asker }), 4), { why: 'gone' });
  t.equal(ledger.usage().vcpus.used, 0);
  t.end();
});

void t.test(
  'what was bound here and has ended is over for those who asked for it; another placement may have it again',
  (t) => {
    const key = { serverId: 'a' as ServerId, generation: 1 };
    const ledger = ClaimLedger.restore(capacity);
    ledger.admit(claim({ asker: 'one' }), 0);
    ledger.bind(key);
    ledger.release(key, 1);
    t.match(ledger.admit(claim({ asker: 'one' }), 2), { outcome: 'refused', why: 'gone' });
    t.match(ledger.admit(claim({ asker: 'two' }), 2), { outcome: 'admitted' });
    t.end();
  },
);

void t.test('a claim is admitted for only so many placements', (t) => {
  const ledger = ClaimLedger.restore(capacity);
  const outcomes = Array.from({ length: 65 }, (_, n) => ledger.admit(claim({ asker: `${n}` }), 0).outcome);
  t.equal(outcomes.filter((outcome) => outcome === 'admitted').length, 64);
  t.equal(outcomes.at(-1), 'refused');
  t.end();
});

void t.test('a resize on the same host takes the larger of both shapes, and an older generation is refused', (t) => {
  const ledger = ClaimLedger.restore(capacity);
  ledger.admit(claim({ needs: { vcpus: 4, memoryMib: 8192, diskGib: 20, pci: [] } }), 0);
  const larger = ledger.admit(
    claim({ generation: 2, needs: { vcpus: 8, memoryMib: 15_360, diskGib: 10, pci: [] } }),
    0,
  );
  t.equal(larger.outcome, 'admitted');
  t.match(ledger.usage(), { vcpus: { used: 8 }, memoryMib: { used: 15_360, free: 0 }, diskGib: { used: 20 } });
  ledger.release({ serverId: 'a' as ServerId, generation: 1 }, 0);
  t.match(ledger.usage(), { vcpus: { used: 8 }, diskGib: { used: 10 } });
  t.match(ledger.admit(claim({ generation: 0 }), 0), { outcome: 'refused', why: 'stale' });
  t.end();
});

void t.test('the same key with another shape is a conflict', (t) => {
  const ledger = ClaimLedger.restore(capacity);
  ledger.admit(claim(), 0);
  const other = claim({ needs: { vcpus: 1, memoryMib: 4096, diskGib: 20, pci: [] } });
  t.match(ledger.admit(other, 0), { outcome: 'refused', why: 'conflict' });
  t.end();
});

void t.test('anti-affinity is checked at the host, and too many unbound claims are refused early', (t) => {
  const ledger = ClaimLedger.restore(capacity, [], { ...defaultClaimLimits, pendingMax: 2 });
  const group = { id: 'g', membersMax: 1 };
  t.equal(ledger.admit(claim({ server: 'a', group }), 0).outcome, 'admitted');
  t.match(ledger.admit(claim({ server: 'b', group }), 0), { outcome: 'refused', why: 'group' });
  t.equal(ledger.admit(claim({ server: 'c' }), 0).outcome, 'admitted');
  t.match(ledger.admit(claim({ server: 'd' }), 0), { outcome: 'refused', why: 'overloaded' });
  t.end();
});

void t.test('capacity may shrink under what runs: nothing is taken back, nothing is admitted', (t) => {
  const ledger = ClaimLedger.restore(capacity);
  ledger.admit(claim(), 0);
  ledger.setCapacity({ ...capacity, memoryMib: { total: 2048, reserved: 0, allocationRatio: 1 } });
  t.equal(ledger.usage().memoryMib.free, -2048);
  t.match(ledger.admit(claim({ server: 'b', needs: { vcpus: 1, memoryMib: 1, diskGib: 0, pci: [] } }), 0), {
    why: 'memoryMib',
  });
  t.equal(
    ledger.admit(claim({ server: 'c', needs: { vcpus: 1, memoryMib: 0, diskGib: 0, pci: [] } }), 0).outcome,
    'admitted',
  );
  t.end();
});

void t.test('of 100 concurrent claimers exactly as many are admitted as fit, in any order', (t) => {
  for (let seed = 1; seed <= 50; seed++) {
    const prng = new Prng(seed);
    const ledger = ClaimLedger.restore(capacity);
    const claims = Array.from({ length: 100 }, (_, i) =>
      claim({ server: `s${i}`, needs: { vcpus: 1, memoryMib: 1024, diskGib: 1, pci: [] } }),
    );
    // Every claim arrives three times, as retries make it.
    const arrivals = [...claims, ...claims, ...claims];
    for (let i = arrivals.length - 1; i > 0; i--) {
      const j = prng.below(i + 1);
      const [a, b] = [arrivals[i], arrivals[j]];
      if (a !== undefined && b !== undefined) [arrivals[i], arrivals[j]] = [b, a];
    }
    const admitted = new Set<string>();
    for (const c of arrivals) if (ledger.admit(c, 0).outcome === 'admitted') admitted.add(c.serverId);
    t.equal(admitted.size, 15, `seed ${seed}: memory is for 15`);
    t.equal(ledger.usage().memoryMib.free, 0);
  }
  t.end();
});

void t.test('a server that is bound after its claim has ended is taken in only where there is room', (t) => {
  const ledger = ClaimLedger.restore(capacity);
  const whole = { vcpus: 1, memoryMib: 1, diskGib: ledger.usage().diskGib.free, pci: [] };
  const [late, quick] = [
    { serverId: 'late' as ServerId, generation: 1 },
    { serverId: 'quick' as ServerId, generation: 1 },
  ];
  t.equal(ledger.admit({ ...late, needs: whole, expiresAtMs: 100 }, 0).outcome, 'admitted');
  t.equal(ledger.expire(101).expired.length, 1);
  t.equal(ledger.admit({ ...quick, needs: whole, expiresAtMs: 1_000 }, 102).outcome, 'admitted');
  const refused = ledger.adoptWithin(late, whole);
  t.match(refused, { outcome: 'refused', why: 'diskGib', changes: [] });
  t.ok(ledger.usage().diskGib.free >= 0, 'and nothing is over-committed');
  ledger.release(quick, 103);
  t.match(ledger.adoptWithin(late, whole), { outcome: 'admitted', record: { state: 'bound' } });
  t.equal(ledger.adoptWithin(late, whole).changes.length, 0, 'again: as it was');
  ledger.adopt(quick, whole);
  t.ok(ledger.usage().diskGib.free < 0, 'a guest that runs is a fact');
  t.end();
});

void t.test(
  'whatever is asked, no admission goes over capacity, and a restart from disk finds the same ledger',
  (t) => {
    const operation = fc.record({
      kind: fc.constantFrom('admit', 'admit', 'admit', 'bind', 'release', 'expire', 'adopt', 'adopt-within', 'restart'),
      server: fc.integer({ min: 0, max: 9 }),
      generation: fc.integer({ min: 0, max: 3 }),
      vcpus: fc.integer({ min: 0, max: 9 }),
      memoryMib: fc.integer({ min: 0, max: 9000 }),
      diskGib: fc.integer({ min: 0, max: 120 }),
      devices: fc.integer({ min: 0, max: 2 }),
      pinned: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        let ledger = ClaimLedger.restore(capacity);
        const disk = new Map<string, ClaimRecord>();
        let now = 0;
        let adopted = false;
        for (const o of operations) {
          now += 100;
          const key = { serverId: `s${o.server}` as ServerId, generation: o.generation };
          const needs = {
            vcpus: o.vcpus,
            memoryMib: o.memoryMib,
            diskGib: o.diskGib,
            pci: o.devices === 0 ? [] : [{ count: o.devices, vendorId: '', productId: '1eb8', physicalNetwork: '' }],
            ...(o.pinned && o.vcpus > 0
              ? { numa: { cells: [{ vcpus: o.vcpus, memoryMib: o.memoryMib }], dedicated: true, pageSizeKib: 0 } }
              : {}),
          };
          if (o.kind === 'admit' || o.kind === 'adopt-within') {
            const before = ledger.usage();
            const answer =
              o.kind === 'admit'
                ? ledger.admit({ ...key, needs, expiresAtMs: now + 1_000 }, now)
                : ledger.adoptWithin(key, needs);
            applyChanges(disk, answer.changes);
            const after = ledger.usage();
            for (const resource of ['vcpus', 'memoryMib', 'diskGib'] as const) {
              if (after[resource].used > before[resource].used && after[resource].free < 0) return false;
            }
            if (!adopted && after.pciFree.some((free) => free < 0)) return false;
            if (o.kind === 'adopt-within' && answer.outcome === 'admitted' && answer.record.state !== 'admitted') {
              if (ledger.get(key)?.state !== 'bound') return false;
            }
            if (
              o.kind === 'admit' &&
              answer.outcome === 'admitted' &&
              ledger.admit({ ...key, needs, expiresAtMs: now + 1_000 }, now).changes.length > 0
            )
              return false;
          } else if (o.kind === 'bind') applyChanges(disk, ledger.bind(key).changes);
          else if (o.kind === 'release') applyChanges(disk, ledger.release(key, now).changes);
          else if (o.kind === 'expire') applyChanges(disk, ledger.expire(now).changes);
          else if (o.kind === 'adopt') {
            adopted = true;
            applyChanges(disk, ledger.adopt(key, needs).changes);
          } else {
            const before = ledger.usage();
            ledger = ClaimLedger.restore(capacity, [...disk.values()].reverse());
            const after = ledger.usage();
            if (
              JSON.stringify({ ...before, numa: before.numa.length }) !==
              JSON.stringify({ ...after, numa: after.numa.length })
            )
              return false;
          }
        }
        return true;
      }),
      { seed: 5, numRuns: 3_000 },
    );
    t.end();
  },
);
