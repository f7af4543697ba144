/** Which PCI devices of a host guests may be given, as the settings say. */
import { listOf } from './list-of.ts';
import type { Config } from './options.ts';

/** A kind of device that an operator lets guests have. */
export interface PassedThrough {
  /** Four lower-case hex digits, as `productId`. */
  readonly vendorId: string;
  readonly productId: string;
  /** Physical network that such devices reach; empty for what is no network card. */
  readonly physicalNetwork: string;
}

/** Of settings that have no mistakes. */
export function passedThrough(config: Config): readonly PassedThrough[] {
  return read(config, []);
}

/** What is wrong with `compute.pciPassthrough`, for people; empty when nothing is. */
export function passthroughMistakes(config: Config): readonly string[] {
  const mistakes: string[] = [];
  read(config, mistakes);
  return mistakes;
}

/** `10de:1eb8,8086:154d@physnet2`. */
function read({ compute }: Config, mistakes: string[]): readonly PassedThrough[] {
  const kinds: PassedThrough[] = [];
  for (const word of listOf(compute.pciPassthrough)) {
    const match = /^([0-9a-f]{4}):([0-9a-f]{4})(?:@([A-Za-z0-9_.-]{1,64}))?$/.exec(word);
    if (match === null) {
      mistakes.push(`compute.pciPassthrough: ${JSON.stringify(word.slice(0, 64))} is not VENDOR:PRODUCT[@NETWORK]`);
    } else kinds.push({ vendorId: match[1] ?? '', productId: match[2] ?? '', physicalNetwork: match[3] ?? '' });
  }
  return kinds;
}
