const ipv4Pattern = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?=[0-9])|$)){4}$/;
const groupPattern = /^[0-9a-f]{1,4}$/i;
/** The longest IPv6 address holds an IPv4 one, characters. */
const ipv6CharactersMax = 45;

/**
 * 4 or 6 for an IP address; 0 for any other text. One with a zone (`fe80::1%eth0`) is none: a zone is the name of an
 * interface of one machine, and means nothing in what others read. It says of every text what Node's `isIP` says, zones
 * aside, and needs no Node: request schemas use it, which a web page reads as well.
 */
export function ipVersion(text: string): 0 | 4 | 6 {
  if (isIpv4(text)) return 4;
  return isIpv6(text) ? 6 : 0;
}

function isIpv4(text: string): boolean {
  return ipv4Pattern.test(text);
}

function isIpv6(text: string): boolean {
  if (text.length > ipv6CharactersMax) return false;
  const [left = '', right, ...more] = text.split('::');
  if (more.length > 0) return false;
  const before = left === '' ? [] : left.split(':');
  const after = right === undefined || right === '' ? [] : right.split(':');
  const groups = [...before, ...after];
  const last = groups.at(-1);
  // An IPv4 address stands for the last two groups, at the very end.
  const endsInIpv4 = last !== undefined && isIpv4(last) && text.endsWith(last);
  const plain = endsInIpv4 ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => groupPattern.test(group))) return false;
  const count = plain.length + (endsInIpv4 ? 2 : 0);
  // `::` stands for one group at least.
  return right === undefined ? count === 8 : count <= 7;
}
