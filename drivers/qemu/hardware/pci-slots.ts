/**
 * Places for devices. The bus of a `pc` takes any of them at any time; a `q35` has one root port for each device that may come and go,
 * all there from the start, as ports cannot be added later.
 */
import { familyOf } from './machine-type.ts';

/** Root ports of a q35, eight in one place of its root. Devices that a guest may have at once (arguments.ts), and the controller. */
const slotsMax = 32;
const slotsAPlace = 8;
/** The first place that they take; lower ones are for what never goes. */
const placeFirst = 0x10;

/** Whether the machine has such ports. */
export function hasSlots(machine: string): boolean {
  return familyOf(machine) === 'q35';
}

/** Name of the bus of a port, from 0. */
function slotName(number: number): string {
  return `slot${number}`;
}

/** The arguments that make the ports. */
export function slotWords(machine: string): readonly string[] {
  if (!hasSlots(machine)) return [];
  return [...Array(slotsMax).keys()].flatMap((number) => {
    const place = (placeFirst + Math.floor(number / slotsAPlace)).toString(16);
    const first = number % slotsAPlace === 0 ? ',multifunction=on' : '';
    const port = `chassis=${number + 1},port=${number + 1},bus=pcie.0,addr=0x${place}.${number % slotsAPlace}${first}`;
    return ['-device', `pcie-root-port,id=${slotName(number)},${port}`];
  });
}

/** Gives one port after the other to the devices of a start; nothing on a machine without ports. */
export class SlotOrder {
  readonly #has: boolean;
  #next = 0;

  constructor(machine: string) {
    this.#has = hasSlots(machine);
  }

  /** `{ bus }`, or nothing. Never runs out: a guest has fewer devices than there are ports. */
  next(): Readonly<Record<string, string>> {
    if (!this.#has) return {};
    const bus = slotName(this.#next);
    this.#next += 1;
    return { bus };
  }
}
