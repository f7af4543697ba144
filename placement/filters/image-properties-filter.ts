import { satisfiesOperator } from '../matching/extra-spec-operators.ts';
import type { ProfileFilter } from './filter.ts';

/** The host can run guests of the image's architecture, hypervisor type and VM mode. */
export const imagePropertiesFilter: ProfileFilter = {
  name: 'ImagePropertiesFilter',
  purpose: "the host can run guests of the image's architecture, hypervisor type and VM mode",
  scope: 'profile',
  onRebuild: true,
  compile(request) {
    const image = request.imageProperties;
    const arch = canonicalArch(image['hw_architecture'] ?? image['architecture']);
    const hypervisorType = (image['img_hv_type'] ?? image['hypervisor_type'])?.toLowerCase();
    const vmMode = canonicalVmMode(image['hw_vm_mode'] ?? image['vm_mode']);
    const version = image['img_hv_requested_version'] ?? image['hypervisor_version_requires'];
    if (arch === undefined && hypervisorType === undefined && vmMode === undefined && version === undefined) {
      return undefined;
    }
    return {
      passes: (profile) =>
        profile.hypervisor.supported.some(
          (guest) =>
            (arch === undefined || guest.arch === arch) &&
            (hypervisorType === undefined || guest.hypervisorType === hypervisorType) &&
            (vmMode === undefined || guest.vmMode === vmMode),
        ) &&
        (version === undefined || versionSatisfies(profile.hypervisor.version, version)),
      reason(profile) {
        const wanted = [arch, hypervisorType, vmMode].filter((part) => part !== undefined).join(', ');
        if (version !== undefined && !versionSatisfies(profile.hypervisor.version, version)) {
          return `the hypervisor's version is ${profile.hypervisor.version}, the image asks for ${version}`;
        }
        return `the host does not run guests that are ${wanted}`;
      },
    };
  },
};

/** Names that people write for one architecture. */
function canonicalArch(text: string | undefined): string | undefined {
  const lower = text?.toLowerCase();
  if (lower === 'amd64' || lower === 'x86-64' || lower === 'x64') return 'x86_64';
  if (lower === 'arm64') return 'aarch64';
  if (lower === 'i386' || lower === 'i486' || lower === 'i586' || lower === 'x86') return 'i686';
  return lower;
}

function canonicalVmMode(text: string | undefined): string | undefined {
  const lower = text?.toLowerCase();
  return lower === 'pv' ? 'xen' : lower === 'hv' ? 'hvm' : lower;
}

/** `version` is Nova's number; `wanted` a list such as ">=6.0, <8.0". */
function versionSatisfies(version: number, wanted: string): boolean {
  return wanted.split(',').every((part) => {
    const match = /^\s*(>=|<=|==|!=|<|>)?\s*(\d+)(?:\.(\d+))?(?:\.(\d+))?\s*$/.exec(part);
    if (match === null) return false;
    const number = Number(match[2]) * 1_000_000 + Number(match[3] ?? 0) * 1_000 + Number(match[4] ?? 0);
    const operator = match[1] ?? '==';
    if (operator === '<') return version < number;
    if (operator === '>') return version > number;
    return satisfiesOperator(String(version), `${operator} ${number}`);
  });
}
