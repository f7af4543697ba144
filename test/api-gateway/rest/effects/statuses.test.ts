import t from 'tap';
import { cellsOf } from './ledger.ts';
import { isRealStatus } from './statuses.ts';

/** Routes as requests name them; an action that is named by no row is none of the real service's. */
function operationOf(route: string): string {
  const path = route.replaceAll(/:[a-z_]+/g, 'x');
  return path.endsWith('/action') ? `${path}#x` : path;
}

void t.test('the status of each served route is known', async (t) => {
  for (const service of ['compute', 'identity', 'image', 'network'] as const) {
    const routes = cellsOf(service, 'Routes').filter(([, verdict]) => verdict !== 'not served');
    t.ok(routes.length > 20, service);
    for (const [route = ''] of routes) {
      // Its other rows name the actions. Versions are told below no path of a service's own.
      if (route === 'POST /v2.1/servers/:id/action' || !/ \/v\d/.test(route)) continue;
      t.doesNotThrow(() => isRealStatus(operationOf(route), 0), route);
    }
  }
});

void t.test('an operation that no row names has no status', async (t) => {
  t.throws(() => isRealStatus('POST /v2.1/servers/x/action#unheardOf', 202), /unheardOf/);
  t.throws(() => isRealStatus('PUT /v3/regions/x', 201), /regions/);
});
