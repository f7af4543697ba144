import { isIP } from 'node:net';

/**
 * 4 or 6 for an IP address; 0 for any other text. One with a zone (`fe80::1%eth0`) is none: a zone is the name of an
 * interface of one machine, and means nothing in what others read.
 */
export function ipVersion(text: string): 0 | 4 | 6 {
  if (text.includes('%')) return 0;
  const version = isIP(text);
  return version === 4 || version === 6 ? version : 0;
}
