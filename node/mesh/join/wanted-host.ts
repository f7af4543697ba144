import type { shoal } from '../../../proto/messages.ts';
import { parseAddress } from '../../base/address.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import { ipVersion } from '../../base/ip-version.ts';
import { hostIdOf, isHostId, publicKeyBytes } from '../identity/signature.ts';

/** Longest host name, characters (RFC 1123). */
const nameCharactersMax = 253;
/** Longest free text of a host record, characters: zones, failure domains and versions are short names. */
const textCharactersMax = 64;
const urlCharactersMax = 512;

const nameForm = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;
const gossipForm = /^\/(?:ip4|ip6|dns|dns4|dns6)\/[0-9A-Za-z.:-]{1,253}\/tcp\/[1-9][0-9]{0,4}$/;
const textForm = /^[\x20-\x7e]*$/;

/** What a joiner may say of itself; the rest of its record is the mesh's to give. */
export interface WantedHost {
  readonly id: HostId;
  readonly name: string;
  /** Raw Ed25519, from which the id follows. */
  readonly publicKey: Uint8Array;
  readonly peerAddress: string;
  readonly grpcAddress: string;
  readonly apiUrl: string;
  readonly gossipAddress: string;
  readonly vtepIp: string;
  readonly zone: string;
  readonly failureDomain: string;
  readonly version: string;
  readonly holdsSlices: boolean;
  /** The highest feature level that it can do; 0: a release before the first one. */
  readonly featureLevel: number;
}

/**
 * Checks a host record as a joiner wants it, field by field, and takes over only what a joiner may choose.
 * Throws `INVALID_ARGUMENT` naming the field.
 */
export function wantedHost(wanted: shoal.v1.IHost | null | undefined): WantedHost {
  if (wanted === undefined || wanted === null) throw bad('host', 'it is missing');
  const publicKey = wanted.publicKey ?? new Uint8Array(0);
  const id = wanted.id ?? '';
  if (publicKey.length !== publicKeyBytes) throw bad('public_key', `it must be ${publicKeyBytes} bytes`);
  if (!isHostId(id) || id !== hostIdOf(publicKey)) throw bad('id', 'it does not follow from the public key');
  const name = wanted.name ?? '';
  if (name.length > nameCharactersMax || !nameForm.test(name)) throw bad('name', 'it is not a host name');
  const vtepIp = wanted.vtepIp ?? '';
  if (vtepIp !== '' && ipVersion(vtepIp) === 0) throw bad('vtep_ip', 'it is not an IP address');
  const gossipAddress = wanted.gossipAddress ?? '';
  if (!gossipForm.test(gossipAddress)) throw bad('gossip_address', 'it is not a TCP multiaddress');
  return {
    id,
    name,
    publicKey: Uint8Array.from(publicKey),
    peerAddress: address('peer_address', wanted.peerAddress ?? ''),
    grpcAddress: wanted.grpcAddress ? address('grpc_address', wanted.grpcAddress) : '',
    apiUrl: url('api_url', wanted.apiUrl ?? ''),
    gossipAddress,
    vtepIp,
    zone: text('zone', wanted.zone ?? ''),
    failureDomain: text('failure_domain', wanted.failureDomain ?? ''),
    version: text('version', wanted.version ?? ''),
    holdsSlices: wanted.holdsSlices ?? false,
    featureLevel: wanted.featureLevel ?? 0,
  };
}

function address(field: string, value: string): string {
  try {
    parseAddress(value);
    return value;
  } catch (caught) {
    throw bad(field, ShoalError.from(caught, 'INVALID_ARGUMENT').message);
  }
}

function url(field: string, value: string): string {
  if (value === '') return value;
  const parsed = value.length > urlCharactersMax ? null : URL.parse(value);
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') throw bad(field, 'it is not an http(s) URL');
  return value;
}

function text(field: string, value: string): string {
  if (value.length > textCharactersMax || !textForm.test(value)) {
    throw bad(field, `it must be at most ${textCharactersMax} printable ASCII characters`);
  }
  return value;
}

function bad(field: string, why: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `The joining host's ${field} is invalid: ${why}.`, { facts: { field } });
}
