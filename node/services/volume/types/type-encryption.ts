/** What a type says of the encryption of its volumes. */
import { shoal } from '../../../../proto/messages.ts';
import { invalidInput } from '../kit/refusals.ts';

/**
 * Providers that hosts know, by the names that Cinder takes for them; a type keeps the name that it was given. `luks` is version 1, which QEMU reads and writes on every
 * storage alike. `luks2` is none of them: QEMU cannot write it, and librbd's own would be another format on Ceph alone, which copies
 * between pools could not keep.
 */
const providers: readonly string[] = ['luks', 'nova.volume.encryptors.luks.LuksEncryptor', 'LuksEncryptor'];
/** Bits of a key: AES in XTS mode takes two keys, so 256 bits are AES-128 and 512 are AES-256. */
const keySizes: readonly number[] = [256, 512];
const ciphers: readonly string[] = ['aes-xts-plain64'];
const locations: readonly string[] = ['front-end', 'back-end'];

/** Absent: as it is, or the default. */
export interface EncryptionDraft {
  readonly provider?: string;
  readonly cipher?: string;
  readonly keyBits?: number;
  readonly controlLocation?: string;
}

/** The encryption as a type is to have it. Throws `INVALID_ARGUMENT` for what no host can do. */
export function checkEncryption(
  before: shoal.v1.IVolumeTypeEncryption | null,
  draft: EncryptionDraft,
  { id, nowMs }: { readonly id: string; readonly nowMs: number },
): shoal.v1.VolumeTypeEncryption {
  const provider = draft.provider ?? before?.provider ?? '';
  if (provider === 'luks2' || provider === 'nova.volume.encryptors.luks.Luks2Encryptor') {
    throw invalidInput(
      'provider luks2 is not offered: no storage here writes it. Choose luks, which is LUKS version 1.',
    );
  }
  if (!providers.includes(provider)) throw invalidInput(`provider must be one of ${providers.join(', ')}.`);
  const cipher = draft.cipher ?? before?.cipher ?? 'aes-xts-plain64';
  if (!ciphers.includes(cipher)) throw invalidInput(`cipher must be one of ${ciphers.join(', ')}.`);
  const keyBits = draft.keyBits ?? before?.keyBits ?? 256;
  if (!keySizes.includes(keyBits)) throw invalidInput(`key_size must be one of ${keySizes.join(', ')}.`);
  const controlLocation = draft.controlLocation ?? before?.controlLocation ?? 'front-end';
  if (!locations.includes(controlLocation))
    throw invalidInput(`control_location must be one of ${locations.join(', ')}.`);
  return new shoal.v1.VolumeTypeEncryption({
    id: before?.id ?? id,
    provider,
    cipher,
    keyBits,
    controlLocation,
    createdMs: before?.createdMs ?? nowMs,
    updatedMs: nowMs,
  });
}
