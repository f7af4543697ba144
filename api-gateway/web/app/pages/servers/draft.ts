/** A server that is to be made: what there is to choose from, what is chosen when nobody chooses, and the request. */
import { get } from '../../kit/api.ts';
import { texts } from '../../kit/texts.ts';

interface Flavor {
  readonly id: string;
  readonly name: string;
  readonly vcpus: number;
  readonly ram: number;
  readonly disk: number;
}

interface Image {
  readonly id: string;
  readonly name: string | null;
  /** MiB and GiB that it needs. */
  readonly min_ram: number;
  readonly min_disk: number;
  /** Of its content; null: nobody knows. */
  readonly virtual_size: number | null;
}

/** What there is. */
export interface Offer {
  readonly flavors: readonly Flavor[];
  readonly images: readonly Image[];
  readonly networks: readonly { readonly id: string; readonly name: string }[];
  readonly keys: readonly string[];
  readonly groups: readonly string[];
}

/** What is chosen. Texts, as the fields have them; '' for none. */
export interface Draft {
  readonly name: string;
  readonly imageId: string;
  readonly flavorId: string;
  readonly networkId: string;
  readonly keyName: string;
  readonly groupName: string;
  readonly bootsFromVolume: boolean;
  /** GiB. */
  readonly volumeSize: string;
  readonly count: string;
  readonly userData: string;
}

/** Everything at once. */
export async function loadOffer(signal: AbortSignal): Promise<Offer> {
  const [flavors, images, networks, keys, groups] = await Promise.all([
    get<{ flavors: readonly Flavor[] }>('/compute/v2.1/flavors/detail', signal),
    get<{ images: readonly Image[] }>('/image/v2/images?status=active&limit=1000&sort=created_at:desc', signal),
    get<{ networks: readonly (Offer['networks'][number] & { 'router:external': boolean })[] }>(
      '/networking/v2.0/networks',
      signal,
    ),
    get<{ keypairs: readonly { keypair: { name: string } }[] }>('/compute/v2.1/os-keypairs', signal),
    get<{ security_groups: readonly { name: string }[] }>('/networking/v2.0/security-groups', signal),
  ]);
  const sizes = [...flavors.flavors].sort((a, b) => a.ram - b.ram || a.vcpus - b.vcpus || a.disk - b.disk);
  return {
    flavors: sizes,
    images: images.images,
    networks: networks.networks.filter((network) => !network['router:external']),
    keys: keys.keypairs.map(({ keypair }) => keypair.name),
    groups: [...new Set(['default', ...groups.security_groups.map(({ name }) => name)])],
  };
}

/** Newest image, smallest flavor that carries it, first network, first key. */
export function defaultsOf(offer: Offer): Draft {
  const [image] = offer.images;
  const fitting = offer.flavors.find((flavor) => image !== undefined && carries(flavor, image));
  return {
    name: '',
    imageId: image?.id ?? '',
    flavorId: (fitting ?? offer.flavors[0])?.id ?? '',
    networkId: offer.networks[0]?.id ?? '',
    keyName: offer.keys[0] ?? '',
    groupName: 'default',
    bootsFromVolume: false,
    volumeSize: String(Math.max(1, image === undefined ? 1 : diskOf(image))),
    count: '1',
    userData: '',
  };
}

/** Why the flavor does not carry the image; '' when it does. */
export function whyTooSmall(offer: Offer, draft: Draft): string {
  const image = offer.images.find(({ id }) => id === draft.imageId);
  const flavor = offer.flavors.find(({ id }) => id === draft.flavorId);
  if (image === undefined || flavor === undefined || carries(flavor, image)) return '';
  return texts.servers.form.tooSmall(image.min_ram, diskOf(image));
}

/** The request. */
export function bodyOf(draft: Draft): object {
  const { name, imageId, flavorId, networkId, keyName, groupName, bootsFromVolume, volumeSize, count, userData } =
    draft;
  const disk = {
    boot_index: 0,
    uuid: imageId,
    source_type: 'image',
    destination_type: 'volume',
    volume_size: Number(volumeSize),
    delete_on_termination: true,
  };
  return {
    server: {
      name,
      flavorRef: flavorId,
      ...(bootsFromVolume ? { block_device_mapping_v2: [disk] } : { imageRef: imageId }),
      networks: networkId === '' ? 'none' : [{ uuid: networkId }],
      ...(keyName === '' ? {} : { key_name: keyName }),
      ...(groupName === '' || networkId === '' ? {} : { security_groups: [{ name: groupName }] }),
      ...(count === '1' ? {} : { min_count: Number(count), max_count: Number(count) }),
      ...(userData === '' ? {} : { user_data: base64(userData) }),
    },
  };
}

function carries({ ram, disk }: Flavor, image: Image): boolean {
  return ram >= image.min_ram && disk >= diskOf(image);
}

/** GiB that the image's content takes. */
function diskOf({ min_disk: minDisk, virtual_size: size }: Image): number {
  return Math.max(minDisk, Math.ceil((size ?? 0) / 2 ** 30));
}

function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''));
}
