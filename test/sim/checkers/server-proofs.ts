/** Traces of the checkers of servers: three or more that keep each invariant, and three that break it. */
import { AddressChecker, checkImage } from '../../../sim/checkers/servers.ts';
import { on, type Proof, type Trace } from './proof.ts';

const addresses = on((report) => new AddressChecker(report));
const port = (portId: string, ...ips: string[]) => ({ portId, mac: `mac of ${portId}`, ips });

/** An image of a disk that held these when it was kept. */
function image(content: string | undefined, ...instants: string[]): Trace {
  return (report) => checkImage({ id: 'i', content, instants: new Set(instants) }, report);
}

export const serverProofs = {
  'server-keeps-its-addresses': {
    keeps: [
      // It has none before it is placed.
      addresses((a) => {
        a.has('s', []);
        a.has('s', [port('p', '10.0.0.5')]);
      }),
      // In whatever order they are told.
      addresses((a) => {
        a.has('s', [port('p', '10.0.0.5', '10.0.0.6'), port('q')]);
        a.has('s', [port('q'), port('p', '10.0.0.6', '10.0.0.5')]);
      }),
      // Of one that is being deleted they go.
      addresses((a) => {
        a.has('s', [port('p', '10.0.0.5')]);
        a.goes('s');
        a.has('s', []);
      }),
    ],
    breaks: [
      addresses((a) => {
        a.has('s', [port('p', '10.0.0.5')]);
        a.has('s', [port('p', '10.0.0.6')]);
      }),
      addresses((a) => {
        a.has('s', [port('p', '10.0.0.5')]);
        a.has('s', []);
      }),
      addresses((a) => {
        a.has('s', [port('p')]);
        a.has('s', [port('q')]);
      }),
    ],
  },
  'image-is-its-instant': {
    keeps: [
      image('one', 'one'),
      image('', ''),
      // Kept again, as nobody heard the first answer.
      image('two', 'one', 'two'),
    ],
    breaks: [image('two', 'one'), image(undefined, 'one'), image('one')],
  },
} as const satisfies Readonly<Record<string, Proof>>;
