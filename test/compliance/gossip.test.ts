import t from 'tap';
import { systemClock } from '../../node/base/clock.ts';
import { Prng } from '../../node/base/prng.ts';
import { silentLogger } from '../../node/base/telemetry/logger.ts';
import { Libp2pGossip } from '../../node/mesh/gossip/libp2p-gossip.ts';
import { MemoryGossipHub } from '../../node/mesh/gossip/memory-gossip.ts';
import { gossipCompliance } from './gossip.ts';

const topics = ['shoal/m-1/cell0/adverts/1', 'shoal/m-1/cell0/rumours/1'];
let seed = 0;

await gossipCompliance(t, {
  name: 'libp2p',
  make: (identity, admits) =>
    new Libp2pGossip(
      { clock: systemClock, logger: silentLogger, random: new Prng(++seed), identity },
      { listen: '/ip4/127.0.0.1/tcp/0', topics, admits },
    ),
  addressOf: (gossip) => (gossip instanceof Libp2pGossip ? (gossip.addresses[0] ?? '') : ''),
});

const hub = new MemoryGossipHub(systemClock);
await gossipCompliance(t, {
  name: 'memory',
  make: (identity) => hub.join(identity.hostId),
  addressOf: () => '/memory/0',
});
