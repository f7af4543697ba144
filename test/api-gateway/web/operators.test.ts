/** What the operators' pages make of answers and streams, without a browser. */
import t from 'tap';
import { EventLines } from '../../../api-gateway/web/app/kit/event-lines.ts';
import { byPlace, fullness, type HostRow } from '../../../api-gateway/web/app/pages/operators/hosts.ts';

void t.test('events are whole however the text is cut', (t) => {
  const text =
    'retry: 2000\nevent: begin\nid: 41\ndata: {"revision":41}\n\n:\n\nevent: changes\nid: 42\ndata: {"a":1}\n\n';
  const whole = new EventLines().take(text);
  t.same(whole, [
    { event: 'begin', id: '41', data: '{"revision":41}' },
    { event: 'changes', id: '42', data: '{"a":1}' },
  ]);
  const lines = new EventLines();
  t.same(
    [...text].flatMap((letter) => lines.take(letter)),
    whole,
  );
  t.end();
});

const host = (name: string, zone: string, domain: string): HostRow => ({
  ...{ id: name, name, zone, domain, state: 'alive', reason: '', version: '', address: '', accusedBy: [] },
  advert: undefined,
});

void t.test('hosts stand by zone and domain, in an order that people expect', (t) => {
  const places = byPlace([host('a', 'zone-10', ''), host('b', 'zone-2', 'rack-1'), host('c', 'zone-2', 'rack-1')]);
  t.same(
    places.map(([place, hosts]) => [place, hosts.map(({ name }) => name)]),
    [
      ['zone-2 / rack-1', ['b', 'c']],
      ['zone-10', ['a']],
    ],
  );
  t.equal(fullness(host('a', '', ''), 'memory'), undefined, 'who has told nothing is not empty');
  t.end();
});
