/**
 * Whose a tap is. The network driver makes it for root; right before a guest starts, the tap becomes that guest's, so that
 * no other guest's QEMU can open it. `ip tuntap` can name an owner only when it makes a tap, Node has no ioctl, and perl is
 * on every Debian (`perl-base` is essential).
 */

/**
 * linux/if_tun.h: TUNSETIFF with IFF_TAP | IFF_NO_PI | IFF_VNET_HDR attaches to the tap, TUNGETIFF tells whether it was
 * there (IFF_PERSIST; else it was made by this very call, and goes with it), TUNSETOWNER gives it away.
 */
const script = `
my ($name, $uid) = @ARGV;
open(my $tun, "+<", "/dev/net/tun") or die "/dev/net/tun: $!\\n";
my $request = pack("a16 S x22", $name, 0x0002 | 0x1000 | 0x4000);
ioctl($tun, 0x400454ca, $request) or die "attaching to $name: $!\\n";
ioctl($tun, 0x800454d2, $request) or die "looking at $name: $!\\n";
(unpack("a16 S", $request))[1] & 0x0800 or die "there is no tap $name\\n";
ioctl($tun, 0x400454cc, $uid + 0) or die "giving $name to $uid: $!\\n";
`;

/** The command that gives the tap to a user. Fails when there is no such tap, or a guest has it open. */
export function tapOwnerCommand(tapName: string, uid: number): readonly string[] {
  return ['perl', '-e', script, tapName, String(uid)];
}
