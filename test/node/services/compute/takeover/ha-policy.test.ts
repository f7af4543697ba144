import t from 'tap';
import { haPolicyOf } from '../../../../../node/services/compute/takeover/ha-policy.ts';
import { shoal } from '../../../../../proto/messages.ts';

t.test('what is to become of a server: its own word, then its flavor, then its project, else nothing', async (t) => {
  const of = (metadata: object, extraSpecs: object = {}, extras: Record<string, string> = {}) =>
    haPolicyOf(
      new shoal.v1.Server({
        metadata: { ...metadata },
        flavor: new shoal.v1.Flavor({ extraSpecs: { ...extraSpecs } }),
      }),
      extras,
    );
  t.match(of({}), { restarts: false, priority: 50, restartsMax: 3, windowSeconds: 3600, excludedHosts: [] });
  t.match(of({ ha: 'restart' }), { restarts: true });
  t.match(of({}, { 'ha:policy': 'restart' }), { restarts: true });
  t.match(of({ ha: 'none' }, { 'ha:policy': 'restart' }), { restarts: false }, 'its owner knows better');
  t.match(of({}, {}, { ha: '"restart"' }), { restarts: true });
  t.match(of({}, { 'ha:policy': 'none' }, { ha: '"restart"' }), { restarts: false });
  t.match(of({ HA_Enabled: 'True' }), { restarts: true }, "Masakari's word");
  t.match(of({ ha: 'none', HA_Enabled: 'True' }), { restarts: false });
  t.match(of({ ha: 'yes please' }, {}, { ha: '{"a":1}' }), { restarts: false }, 'what cannot be read is not said');
  t.match(of({ ha_priority: '90', ha_max_restarts: '5', ha_window_seconds: '600' }), {
    priority: 90,
    restartsMax: 5,
    windowSeconds: 600,
  });
  t.match(of({ ha_priority: '101', ha_max_restarts: '-1', ha_window_seconds: '1e9' }), {
    priority: 50,
    restartsMax: 3,
    windowSeconds: 3600,
  });
  t.same(of({}, { 'ha:preferred_hosts': 'a, b,', 'ha:excluded_hosts': 'c' }).preferredHosts, ['a', 'b']);
  t.same(of({ 'ha:excluded_hosts': 'c' }).excludedHosts, [], 'tenants name no hosts');
});
