/** Names of a network's guests, as its dnsmasq answers them. Pure. */

/** Domain of guests: what their metadata says, too. */
export const guestDomain = 'novalocal';

/** Host names as DHCP and DNS carry them: labels of letters, digits and hyphens. */
const hostnamePattern =
  /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?){0,8}$/;

/** Whether it can be a name at all. */
export function isHostname(text: string): boolean {
  return text.length <= 253 && hostnamePattern.test(text);
}

/**
 * The hosts file: each address by its full name, which is what its PTR record says, and by its short one. Guests of one
 * name share it. Those whose name cannot be one, or reads as an address, go without.
 */
export function hostsText(entries: Iterable<{ readonly ip: string; readonly hostname: string }>): string {
  const lines = new Map<string, string>();
  for (const { ip, hostname } of entries) {
    const name = hostname.toLowerCase();
    if (lines.has(ip) || !isHostname(name) || /^[\d.]+$/.test(name)) continue;
    lines.set(ip, `${ip} ${name}.${guestDomain} ${name}\n`);
  }
  return [...lines.values()].sort().join('');
}
