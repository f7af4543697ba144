import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { ServerId } from '../../node/base/ids.ts';
import { Prng } from '../../node/base/prng.ts';
import { ShapeTracker } from '../configuration/shape-tracker.ts';
import { naiveScorer } from '../engine/oracle.ts';
import {
  defaultConfiguration,
  HostColumns,
  PlacementEngine,
  type PlacementRequest,
  placementRequest,
} from '../index.ts';
import type { BenchRow } from './report/report.ts';
import { syntheticHost } from './synthetic.ts';

/**
 * The openb trace: 1,523 unlike machines, most with accelerators, and pods in the order of creation. Pods arrive and leave
 * when the trace says; a pod that asks for part of an accelerator is given a whole one (we pass devices through, we do not
 * share them). Nothing is waited for: what finds no host is counted as unplaced. Fewer unplaced is better.
 */
export function benchAccelerators(folder: URL): readonly BenchRow[] {
  const nodesPath = new URL('openb_node_list_all_node.csv.gz', folder);
  const podsPath = new URL('openb_pod_list_default.csv.gz', folder);
  if (!existsSync(nodesPath) || !existsSync(podsPath)) return [];
  const nodes = readCsv(nodesPath);
  const pods = readCsv(podsPath)
    .map((row) => ({
      needs: {
        vcpus: Number(row['cpu_milli']),
        memoryMib: Number(row['memory_mib']),
        diskGib: 0,
        pci:
          Number(row['num_gpu']) > 0
            ? [{ count: Number(row['num_gpu']), vendorId: '10de', productId: '', physicalNetwork: '' }]
            : [],
      },
      created: Number(row['creation_time']),
      deleted: row['deletion_time'] === '' ? Number.POSITIVE_INFINITY : Number(row['deletion_time']),
    }))
    .sort((a, b) => a.created - b.created);
  return (['first-fit', 'random', 'spread', 'shoal'] as const).map((name) => runOpenb(name, nodes, pods));
}

interface Pod {
  readonly needs: PlacementRequest['needs'];
  readonly created: number;
  readonly deleted: number;
}

function runOpenb(
  name: 'first-fit' | 'random' | 'spread' | 'shoal',
  nodes: readonly Readonly<Record<string, string>>[],
  pods: readonly Pod[],
): BenchRow {
  const columns = new HostColumns({ seed: 1, slotsMax: nodes.length });
  const prng = new Prng(1);
  nodes.forEach((node, h) => {
    const devices = Number(node['gpu']);
    columns.upsert(
      syntheticHost(h, {
        failureDomain: '',
        // A thousandth of a CPU is the trace's unit; it is ours here.
        vcpus: { total: Number(node['cpu_milli']), reserved: 0, allocationRatio: 1, used: 0 },
        memoryMib: { total: Number(node['memory_mib']), reserved: 0, allocationRatio: 1, used: 0 },
        pciPools:
          devices === 0
            ? []
            : [
                {
                  vendorId: '10de',
                  productId: node['model'] ?? '',
                  numaNode: -1,
                  physicalNetwork: '',
                  total: devices,
                  free: devices,
                },
              ],
      }),
    );
  });
  const tracker = new ShapeTracker();
  const engine = new PlacementEngine(
    columns,
    { ...defaultConfiguration, strategy: name === 'shoal' ? 'pack' : 'spread', drawWidth: 1, drawTolerance: 0 },
    prng,
  );
  const leaving: { readonly at: number; readonly serverId: ServerId }[] = [];
  let unplaced = 0;
  let devicesUnplaced = 0;
  let devicesAsked = 0;
  const started = performance.now();
  pods.forEach((pod, i) => {
    // Few thousand pods: a sorted list is quick enough.
    while (leaving.length > 0 && (leaving.at(-1)?.at ?? 0) <= pod.created) {
      const gone = leaving.pop();
      if (gone !== undefined) columns.releaseHold({ serverId: gone.serverId, generation: 1 });
    }
    tracker.note(pod.needs);
    if (name === 'shoal' && (tracker.total === 200 || tracker.total === 2_000)) {
      engine.reconfigure({ ...engine.configuration, shapes: tracker.shapes() });
    }
    const request = placementRequest({ needs: pod.needs });
    const devices = pod.needs.pci[0]?.count ?? 0;
    devicesAsked += devices;
    const slot =
      name === 'first-fit' || name === 'random'
        ? baselineSlot(name, columns, request, prng)
        : engine.selectSlot(request);
    const hostId = columns.hostIds[slot];
    if (hostId === undefined) {
      unplaced++;
      devicesUnplaced += devices;
      return;
    }
    const serverId = `pod-${i}` as ServerId;
    columns.hold({ serverId, generation: 1 }, hostId, pod.needs, Number.POSITIVE_INFINITY);
    let at = leaving.length;
    while (at > 0 && (leaving[at - 1]?.at ?? 0) < pod.deleted) at--;
    leaving.splice(at, 0, { at: pod.deleted, serverId });
  });
  const seconds = (performance.now() - started) / 1000;
  return {
    bench: 'packing',
    name,
    trace: 'openb_pod_list_default',
    host: 'openb nodes',
    hosts: nodes.length,
    guests: pods.length,
    unplaced,
    devices_asked: devicesAsked,
    devices_unplaced: devicesUnplaced,
    ops_per_s: Math.round(pods.length / seconds),
    seed: 1,
  };
}

function baselineSlot(
  name: 'first-fit' | 'random',
  columns: HostColumns,
  request: PlacementRequest,
  prng: Prng,
): number {
  const score = naiveScorer(columns, defaultConfiguration, request);
  const fitting: number[] = [];
  for (const slot of columns.slots()) {
    if (score(slot) === undefined) continue;
    if (name === 'first-fit') return slot;
    fitting.push(slot);
  }
  return fitting.length === 0 ? -1 : prng.pick(fitting);
}

function readCsv(path: URL): readonly Readonly<Record<string, string>>[] {
  const lines = gunzipSync(readFileSync(path)).toString('utf8').trimEnd().split('\n');
  const names = (lines[0] ?? '').trim().split(',');
  return lines.slice(1).map((line) => {
    const cells = line.trim().split(',');
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']));
  });
}
