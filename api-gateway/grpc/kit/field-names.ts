/**
 * What the native API calls a field that the REST API has under another name; all others are called the same. Requests go
 * through it one way, so that REST's own schemas can check them, and the texts of errors the other way.
 */

/** Names of the native API -> names of REST's, of one service. */
export type FieldNames = ReadonlyMap<string, string>;

const computeFieldNames: FieldNames = new Map([
  ['image_id', 'imageRef'],
  ['flavor_id', 'flavorRef'],
]);

/** Units are in names here. */
export const imageFieldNames: FieldNames = new Map([
  ['min_disk_gib', 'min_disk'],
  ['min_ram_mib', 'min_ram'],
  ['hidden', 'os_hidden'],
  ['project_id', 'owner'],
]);

/** Names in protobuf have no colons. */
export const networkFieldNames: FieldNames = new Map([
  ['external', 'router:external'],
  ['provider_network_type', 'provider:network_type'],
  ['provider_physical_network', 'provider:physical_network'],
  ['provider_segmentation_id', 'provider:segmentation_id'],
]);

const grpcNames: ReadonlyMap<string, string> = new Map([
  ...[computeFieldNames, imageFieldNames, networkFieldNames].flatMap((names) =>
    [...names].map(([grpc, rest]): [string, string] => [rest, grpc]),
  ),
  // As Neutron's own errors call them.
  ['network_type', 'provider_network_type'],
  ['segmentation_id', 'provider_segmentation_id'],
]);

/** The native API's name of a field of REST's. */
export function grpcFieldName(restName: string): string {
  return grpcNames.get(restName) ?? restName;
}
