# Tells a link that an IPv6 address lives here: unsolicited neighbour advertisements (RFC 4861, section 7.2.6).
# perl -T announce-ipv6.pl INDEX ADDRESS MAC COUNT, INDEX being the interface's number
use strict;
use warnings;
use Socket qw(AF_INET6 SOCK_RAW inet_pton pack_sockaddr_in6);

my ($index, $address, $mac, $count) = @ARGV;
die "usage: announce-ipv6.pl INDEX ADDRESS MAC COUNT\n" unless defined $count && $count =~ /^[1-9]$/;
$index =~ /^[1-9]\d{0,8}$/ or die "no interface\n";
my $target = inet_pton(AF_INET6, $address) or die "no IPv6 address\n";
$mac =~ /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/ or die "no MAC address\n";

# 58: ICMPv6, whose checksum the kernel computes. 41: IPv6 options; 18: hops of multicast, 17: its interface.
socket(my $socket, AF_INET6, SOCK_RAW, 58) or die "socket: $!\n";
setsockopt($socket, 41, 18, pack('i', 255)) or die "hops: $!\n";
setsockopt($socket, 41, 17, pack('i', $index)) or die "interface: $!\n";
# Type 136, code 0, checksum, the flag "override"; the address; option 2, of 8 bytes: the link-layer address.
my $message = pack('CCnN', 136, 0, 0, 0x20000000) . $target . pack('CC', 2, 1) . pack('H12', $mac =~ tr/://dr);
my $everybody = pack_sockaddr_in6(0, inet_pton(AF_INET6, 'ff02::1'), $index);
for my $time (1 .. $count) {
  sleep 1 if $time > 1;
  defined send($socket, $message, 0, $everybody) or die "send: $!\n";
}
