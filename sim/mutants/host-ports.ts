/** Ways to stand between a host's agent and its ports, for planted bugs. */
import type { StorageDriver } from '../../drivers/types.ts';
import type { HostPorts } from '../../node/agent/host-ports.ts';
import type { Clock } from '../../node/base/clock.ts';
import type { Claims } from '../../node/host/claims/claim-book.ts';
import type { HostStore } from '../../node/store/host/host-store.ts';
import type { PortsWrap } from '../agents/host-agent.ts';

/** Other claims, or other answers of the same. The checker of claims stays outermost: it sees what askers see. */
export function withClaims(change: (inner: Claims) => Partial<Claims>): PortsWrap {
  return (ports) => ({
    ...ports,
    claims: (inner) => {
      const changed: Claims = {
        usage: () => inner.usage(),
        admit: (claim, ttlMs) => inner.admit(claim, ttlMs),
        withdraw: (serverId, generation, asker) => inner.withdraw(serverId, generation, asker),
        release: (serverId, generation) => inner.release(serverId, generation),
        follow: (...records) => inner.follow(...records),
        ...change(inner),
      };
      return ports.claims?.(changed) ?? changed;
    },
  });
}

/** The host takes in what is recorded on it, whatever room it has. */
export const adopting = (inner: Claims): Pick<Claims, 'follow'> => ({
  follow: (servers, selfId, revision, _isHere, isUnreadable) =>
    inner.follow(servers, selfId, revision, () => true, isUnreadable),
});

/** Another store of the host's own. */
export function withStore(change: (inner: HostStore) => HostStore): PortsWrap {
  return (ports) => ({ ...ports, store: change(ports.store) });
}

/** The host does not note on the word of which records it acts. */
export const withoutFence: PortsWrap = withStore((inner) => ({
  ...inner,
  write: async (writes) => {
    const others = writes.filter(({ key }) => key !== 'claims-followed');
    if (others.length > 0) await inner.write(others);
  },
}));

/** Other drivers of storage. */
export function withStorage(change: (inner: StorageDriver, ports: HostPorts) => StorageDriver): PortsWrap {
  return (ports) => {
    const storage = new Map([...ports.drivers.storage].map(([name, driver]) => [name, change(driver, ports)]));
    return { ...ports, drivers: { ...ports.drivers, storage } };
  };
}

/** A driver some of whose methods are others. */
export function changedDriver<T extends object>(driver: T, changed: Partial<T>): T {
  return new Proxy(driver, {
    get: (target, key) => {
      const other: unknown = Reflect.get(changed, key);
      if (other !== undefined) return other;
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** A clock whose monotonic time is the wall's. */
export function wallClockOnly(clock: Clock): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.nowMs(),
    setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs),
    setInterval: (callback, periodMs) => clock.setInterval(callback, periodMs),
  };
}
