/**
 * Whose a tap is. The network driver makes it for root; right before a guest starts, the tap becomes that guest's, so that
 * no other guest's QEMU can open it. `ip tuntap` can name an owner only when it makes a tap, Node has no ioctl, and perl is
 * on every Debian (`perl-base` is essential).
 */
import { ShoalError } from '../../../node/base/errors.ts';
import type { CommandRunner } from '../../command.ts';

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

/**
 * Gives the tap to a user. Throws `DRIVER_FAILED` when there is no such tap, or a guest has it open.
 * @param tap.prefix words that enter the network that the tap is in.
 */
export async function giveTap(
  run: CommandRunner,
  { tapName, uid, prefix }: { readonly tapName: string; readonly uid: number; readonly prefix: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  try {
    await run([...prefix, ...tapOwnerCommand(tapName, uid)], { signal });
  } catch (caught) {
    if (!ShoalError.is(caught, 'COMMAND_FAILED')) throw caught;
    const { message, facts } = caught;
    throw new ShoalError('DRIVER_FAILED', `tap ${tapName} cannot be given to its guest: ${message}`, { facts });
  }
}

function tapOwnerCommand(tapName: string, uid: number): readonly string[] {
  return ['perl', '-e', script, tapName, String(uid)];
}
