/** A host that lies about its room. */
import type { PortsWrap } from './host-agent.ts';

/** Tells of `factor` times what it has; 1: it does not lie. Asked for each advert. */
export function boasting(factor: () => number): PortsWrap {
  return (ports) => ({
    ...ports,
    gossip: (ownAdvert) =>
      ports.gossip(() => {
        const told = ownAdvert();
        const times = (total: number | undefined): number => (total ?? 0) * factor();
        return {
          ...told,
          vcpus: times(told.vcpus),
          memoryMib: times(told.memoryMib),
          diskGib: times(told.diskGib),
        };
      }),
  });
}
