/**
 * The hardware of a guest, as its flavor's extra specs and its image's properties ask for it, by Nova's names. Pure: a create is refused
 * with what is found wrong here, and the server's host starts the guest with what comes out.
 *
 * Which of the two counts where both speak is Nova's: the image's word for its watchdog, both together for a menu, no two words for
 * counters, and the flavor's bound for what costs the host something.
 */
import {
  type GuestHardware,
  type MachineFamily,
  type NicModel,
  nicModels,
  type VideoModel,
  videoModels,
  type WatchdogAction,
  watchdogActions,
} from '../../../../drivers/types/hardware.ts';
import { ownValue } from '../../../base/own-value.ts';
import { badRequest } from '../kit/refusals.ts';
import { chosenTopology, type TopologyRequest } from './cpu-topology.ts';

type Attributes = Readonly<Record<string, string>>;

/** What asks for hardware. */
interface HardwareRequest {
  readonly vcpus: number;
  readonly extraSpecs: Attributes;
  /** Of the image that it was made of, as they were then. */
  readonly imageProperties: Attributes;
}

/** Buses of the server's own disks, by `hw_disk_bus`. */
type DiskBus = 'virtio' | 'scsi' | 'sata' | 'ide';

/** Names of image properties that say something of the guest's hardware: what a server's record keeps of its image. */
const keptNames =
  /^(hw_(boot_menu|cpu_(max_)?(sockets|cores|threads)|disk_bus|firmware_type|input_bus|machine_type|pmu|pointer_model|qemu_guest_agent|serial_port_count|time_hpet|vif_model|video_model|video_ram|watchdog_action)|img_hide_hypervisor_id|os_(require_quiesce|secure_boot|shutdown_timeout|type))$/;

const yes = /^(1|t|true|on|y|yes)$/i;

/** The part of an image's properties that the server's record keeps: the image may go, and the guest stays as it is. */
export function keptProperties(properties: Attributes): Record<string, string> {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => keptNames.test(name)));
}

/** The hardware; `{}` when nothing is asked for. Throws `INVALID_ARGUMENT` that names what does not go together. */
export function guestHardware(request: HardwareRequest): GuestHardware {
  return {
    ...machinePart(request),
    ...firmwarePart(request),
    ...cpuPart(request),
    ...videoPart(request),
    ...devicePart(request),
    ...rngPart(request),
  };
}

/** Where the server's own disks are plugged in. */
export function ownDiskBus(imageProperties: Attributes): DiskBus {
  const bus = ownValue(imageProperties, 'hw_disk_bus');
  return bus === 'scsi' || bus === 'sata' || bus === 'ide' ? bus : 'virtio';
}

/** How long a guest may take to power off. `hostMs`: what its host gives to one whose image does not say. */
export function shutdownTimeoutMs(imageProperties: Attributes, hostMs: number): number {
  const text = ownValue(imageProperties, 'os_shutdown_timeout');
  return text === undefined ? hostMs : Number(text) * 1000;
}

/** The card of each of its NICs. */
export function nicModelOf(imageProperties: Attributes): NicModel {
  const model = ownValue(imageProperties, 'hw_vif_model');
  return nicModels.find((one) => one === model) ?? 'virtio';
}

/** Traits that a host must have to give a guest this hardware (os-traits' names). */
export function traitsForHardware(request: HardwareRequest): readonly string[] {
  const { firmware, secureBoot, video } = guestHardware(request);
  const nicModel = nicModelOf(request.imageProperties);
  return [
    ...(firmware === 'uefi' ? ['COMPUTE_FIRMWARE_UEFI'] : []),
    ...(secureBoot === true ? ['COMPUTE_SECURITY_UEFI_SECURE_BOOT'] : []),
    ...(nicModel === 'virtio' ? [] : [`COMPUTE_NET_VIF_MODEL_${nicModel.toUpperCase()}`]),
    ...(video === undefined || video.model === 'none' ? [] : [`COMPUTE_GRAPHICS_MODEL_${video.model.toUpperCase()}`]),
  ];
}

function machinePart({ imageProperties }: HardwareRequest): GuestHardware {
  const type = ownValue(imageProperties, 'hw_machine_type');
  if (ownDiskBus(imageProperties) === 'ide' && /q35/.test(type ?? '')) {
    throw badRequest("The image's hw_disk_bus is ide, and its hw_machine_type q35 has none: sata is what a q35 has.");
  }
  const family: MachineFamily | undefined = type === 'pc' || type === 'q35' ? type : undefined;
  if (type !== undefined && family === undefined) return { machine: type };
  return family === undefined ? {} : { family };
}

function firmwarePart({ extraSpecs, imageProperties }: HardwareRequest): GuestHardware {
  const isUefi = ownValue(imageProperties, 'hw_firmware_type') === 'uefi';
  const ofFlavor = ownValue(extraSpecs, 'os:secure_boot');
  const ofImage = ownValue(imageProperties, 'os_secure_boot');
  const isRequired = ofFlavor === 'required' || ofImage === 'required';
  if (ofFlavor !== undefined && isRequired && (ofFlavor === 'disabled' || ofImage === 'disabled')) {
    throw badRequest(
      `The flavor's os:secure_boot is ${ofFlavor} and the image's os_secure_boot is ${ofImage}: choose one.`,
    );
  }
  if (isRequired && !isUefi) throw badRequest('Secure boot needs an image whose hw_firmware_type is uefi.');
  const type = ownValue(imageProperties, 'hw_machine_type') ?? '';
  if (isRequired && !/q35/.test(type)) throw badRequest('Secure boot needs an image whose hw_machine_type is q35.');
  return { ...(isUefi ? { firmware: 'uefi' } : {}), ...(isRequired ? { secureBoot: true } : {}) };
}

function cpuPart({ vcpus, extraSpecs, imageProperties }: HardwareRequest): GuestHardware {
  const numberOf = (name: string): number | undefined => {
    const text = ownValue(extraSpecs, `hw:cpu_${name}`) ?? ownValue(imageProperties, `hw_cpu_${name}`);
    return text === undefined ? undefined : Number(text);
  };
  const named = {
    sockets: numberOf('sockets'),
    cores: numberOf('cores'),
    threads: numberOf('threads'),
    maxSockets: numberOf('max_sockets'),
    maxCores: numberOf('max_cores'),
    maxThreads: numberOf('max_threads'),
  };
  const request: TopologyRequest = Object.fromEntries(
    Object.entries(named).filter(([, number]) => number !== undefined),
  );
  const topology = Object.keys(request).length === 0 ? undefined : chosenTopology(vcpus, request);
  if (topology === undefined && Object.keys(request).length > 0) {
    throw badRequest(`The requested CPU topology (sockets, cores and threads) cannot have ${vcpus} vCPUs.`);
  }
  const pmu = onlyWord(extraSpecs, 'hw:pmu', imageProperties, 'hw_pmu');
  const isHidden =
    isYes(ownValue(extraSpecs, 'hw:hide_hypervisor_id')) || isYes(ownValue(imageProperties, 'img_hide_hypervisor_id'));
  const hpet = ownValue(imageProperties, 'hw_time_hpet');
  return {
    ...(topology === undefined ? {} : { topology }),
    ...(pmu === undefined ? {} : { pmu: isYes(pmu) }),
    ...(isHidden ? { hidesHypervisor: true } : {}),
    ...(hpet === undefined ? {} : { hpet: isYes(hpet) }),
    ...(ownValue(imageProperties, 'os_type') === 'windows' ? { clock: 'localtime' } : {}),
  };
}

function videoPart({ extraSpecs, imageProperties }: HardwareRequest): GuestHardware {
  const named = ownValue(imageProperties, 'hw_video_model');
  const model = videoModels.find((one) => one === named);
  const ramText = ownValue(imageProperties, 'hw_video_ram');
  if (ramText === undefined) return model === undefined ? {} : { video: { model } };
  const memoryMib = Number(ramText);
  const most = Number(ownValue(extraSpecs, 'hw_video:ram_max_mb') ?? 0);
  if (memoryMib > most) {
    throw badRequest(
      `The requested amount of video memory ${memoryMib} is higher than the maximum allowed by flavor ${most}.`,
    );
  }
  const models: readonly VideoModel[] = ['vga', 'cirrus', 'vmvga'];
  if (!models.includes(model ?? 'vga')) {
    throw badRequest(`The image's hw_video_ram cannot be honoured: hw_video_model ${model} has no memory of its own.`);
  }
  return { video: { model: model ?? 'vga', memoryMib: 2 ** Math.floor(Math.log2(memoryMib)) } };
}

function devicePart({ extraSpecs, imageProperties }: HardwareRequest): GuestHardware {
  const action = ownValue(imageProperties, 'hw_watchdog_action') ?? ownValue(extraSpecs, 'hw:watchdog_action');
  const watchdog: WatchdogAction | undefined = watchdogActions.find((one) => one === action);
  const hasMenu = isYes(ownValue(extraSpecs, 'hw:boot_menu')) || isYes(ownValue(imageProperties, 'hw_boot_menu'));
  const agent = ownValue(imageProperties, 'hw_qemu_guest_agent');
  const isTablet = ownValue(imageProperties, 'hw_pointer_model') === 'usbtablet';
  const inputBus = ownValue(imageProperties, 'hw_input_bus');
  return {
    ...(watchdog === undefined ? {} : { watchdog }),
    ...(hasMenu ? { bootMenu: true } : {}),
    ...(agent === undefined ? {} : { agent: isYes(agent) }),
    ...(isTablet || inputBus !== undefined ? { tablet: inputBus === 'virtio' ? 'virtio' : 'usb' } : {}),
    ...serialPart(extraSpecs, imageProperties),
  };
}

/** A flavor's number is the most that an image may ask for, and what a guest has whose image does not ask. */
function serialPart(extraSpecs: Attributes, imageProperties: Attributes): GuestHardware {
  const ofFlavor = ownValue(extraSpecs, 'hw:serial_port_count');
  const ofImage = ownValue(imageProperties, 'hw_serial_port_count');
  if (ofFlavor !== undefined && ofImage !== undefined && Number(ofImage) > Number(ofFlavor)) {
    throw badRequest('Maximum number of serial port exceeds. The image asks for more than the flavor allows.');
  }
  const count = ofImage ?? ofFlavor;
  return count === undefined ? {} : { serialPorts: Number(count) };
}

function rngPart({ extraSpecs }: HardwareRequest): GuestHardware {
  const allowed = ownValue(extraSpecs, 'hw_rng:allowed');
  if (allowed !== undefined && !isYes(allowed)) return { rng: 'none' };
  const bytes = Number(ownValue(extraSpecs, 'hw_rng:rate_bytes') ?? 0);
  if (bytes === 0) return {};
  return { rng: { bytes, periodMs: Number(ownValue(extraSpecs, 'hw_rng:rate_period') ?? 1000) } };
}

/** The word of flavor or image; two that contradict one another are refused, as Nova refuses them. */
function onlyWord(specs: Attributes, specName: string, properties: Attributes, name: string): string | undefined {
  const [ofFlavor, ofImage] = [ownValue(specs, specName), ownValue(properties, name)];
  if (ofFlavor !== undefined && ofImage !== undefined && isYes(ofFlavor) !== isYes(ofImage)) {
    throw badRequest(`The flavor's ${specName} is ${ofFlavor} and the image's ${name} is ${ofImage}: choose one.`);
  }
  return ofFlavor ?? ofImage;
}

function isYes(text: string | undefined): boolean {
  return text !== undefined && yes.test(text);
}
