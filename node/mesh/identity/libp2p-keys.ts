/** The host key as libp2p wants it. Apart from identity.ts because loading libp2p takes a quarter of a second. */
import { privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { PeerId, PrivateKey } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import type { HostId } from '../../base/ids.ts';
import type { HostIdentity } from './identity.ts';
import { hostIdOf } from './signature.ts';

/** The libp2p private key of a host. Its peer id is `peerIdOf(identity.publicKey)`. */
export function libp2pPrivateKey(identity: HostIdentity): PrivateKey {
  return privateKeyFromRaw(Buffer.concat([identity.revealSeed(), identity.publicKey]));
}

/** The libp2p peer id that belongs to a host's raw Ed25519 public key. */
export function peerIdOf(publicKey: Uint8Array): PeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(publicKey));
}

/** The host behind a peer id; undefined when the peer's key is not Ed25519, so that it is no host of ours. */
export function hostIdOfPeer(peerId: PeerId): HostId | undefined {
  return peerId.publicKey?.type === 'Ed25519' ? hostIdOf(peerId.publicKey.raw) : undefined;
}
