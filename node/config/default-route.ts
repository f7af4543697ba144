/** The address by which this machine reaches the rest of the world: what others most likely reach it by. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** The default route's line in /proc/net/route: destination and mask are zero. */
interface DefaultRoute {
  readonly interfaceName: string;
  readonly metric: number;
}

/** IPv4 address of the interface of the default route, the one with the least metric; undefined: there is none. */
export function defaultRouteAddress(): string | undefined {
  let table: string;
  try {
    table = readFileSync('/proc/net/route', 'utf8');
  } catch {
    return undefined; // No Linux, or no /proc: the address has to be configured, and its absence is told then.
  }
  const [route] = defaultRoutes(table).sort((a, b) => a.metric - b.metric);
  if (route === undefined) return undefined;
  return networkInterfaces()[route.interfaceName]?.find(({ family, internal }) => family === 'IPv4' && !internal)
    ?.address;
}

/** The default routes of the text of /proc/net/route. */
export function defaultRoutes(table: string): DefaultRoute[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')
    .map(([interfaceName = '', , , , , , metric = '0']) => ({ interfaceName, metric: Number(metric) }));
}
