/** Where disks go that are there at the start. Virtio's have a place of their own, the others one at a controller. Pure. */
import { ShoalError } from '../../../node/base/errors.ts';
import type { GuestDisk } from '../../types.ts';
import { hasSlots, type SlotOrder } from './pci-slots.ts';

type Options = Readonly<Record<string, string | number>>;

/** The controller of SATA disks on a `pc`; a `q35` has one of its own, whose buses are called `ide.N`. */
const sataController = 'sata';
/** Disks of one IDE bus of a `pc`. */
const unitsOfIdeBus = 2;

/** Places in the order of the disks of one guest. */
export class DiskBuses {
  readonly #isQ35: boolean;
  readonly #slots: SlotOrder;
  #sata = 0;
  #ide = 0;

  constructor(machine: string, slots: SlotOrder) {
    this.#isQ35 = hasSlots(machine);
    this.#slots = slots;
  }

  /** The controller that these disks need and the machine does not have. */
  controllerWords(disks: readonly GuestDisk[]): readonly string[] {
    const needed = !this.#isQ35 && disks.some((disk) => disk.bus === 'sata');
    return needed ? ['-device', `ich9-ahci,id=${sataController}`] : [];
  }

  /** Properties of the disk's device that say its place. `INVALID_ARGUMENT` for an IDE disk of a q35. */
  next(disk: GuestDisk): Options {
    switch (disk.bus) {
      case 'sata': {
        const bus = `${this.#isQ35 ? 'ide' : sataController}.${this.#sata}`;
        this.#sata += 1;
        return { bus, unit: 0 };
      }
      case 'ide': {
        if (this.#isQ35) throw new ShoalError('INVALID_ARGUMENT', `volume ${disk.volumeId}: a q35 has no IDE bus`);
        const at = this.#ide;
        this.#ide += 1;
        return { bus: `ide.${Math.floor(at / unitsOfIdeBus)}`, unit: at % unitsOfIdeBus };
      }
      case 'scsi':
        return {};
      default:
        return this.#slots.next();
    }
  }
}
