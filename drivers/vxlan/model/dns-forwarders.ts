/** Where names of the outside world are asked for: the servers in the host's /etc/resolv.conf, or these. None: nowhere. */
export type DnsForwarders = 'host' | readonly string[];
