import { isIPv6 } from 'node:net';
import { ShoalError } from './errors.ts';

/** Longest `host:port`, characters: a DNS name (253) and a port. */
const addressCharactersMax = 260;

/** Where something listens. */
export interface Address {
  /** An IPv4 address, an IPv6 address without brackets, or a DNS name. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

const form =
  /^(?:\[(?<ipv6>[0-9a-fA-F:.]{2,45})\]|(?<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)):(?<port>[1-9][0-9]{0,4})$/;

/** Takes `host:port` or `[ipv6]:port` apart. Throws `INVALID_ARGUMENT`. */
export function parseAddress(text: string): Address {
  const parts = text.length > addressCharactersMax ? null : form.exec(text);
  const port = Number(parts?.groups?.['port']);
  const ipv6 = parts?.groups?.['ipv6'];
  const host = ipv6 ?? parts?.groups?.['host'];
  if (host === undefined || port > 65535 || (ipv6 !== undefined && !isIPv6(ipv6))) {
    throw new ShoalError('INVALID_ARGUMENT', `"${text.slice(0, 80)}" is not an address of the form host:port.`);
  }
  return { host, port };
}

/** As `parseAddress`, for what is listened on: port 0 is any free one, and no host is every address. Throws `INVALID_ARGUMENT`. */
export function parseListenAddress(text: string): Address {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const port = text.slice(colon + 1);
  if (colon < 0 || text.length > addressCharactersMax || !/^[0-9]{1,5}$/.test(port) || Number(port) > 65535) {
    throw new ShoalError('INVALID_ARGUMENT', `"${text.slice(0, 80)}" is not an address of the form host:port.`);
  }
  return { host: host === '' ? '::' : host, port: Number(port) };
}

/** Puts an address together again, an IPv6 address in brackets. */
export function formatAddress(address: Address): string {
  return isIPv6(address.host) ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
