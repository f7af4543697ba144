/** What goes with a server, in words. Pure. */
import { texts } from '../../kit/texts.ts';
import { addressesOf, type Server } from './server.ts';

/** For who is asked whether it may go. */
export function lossesOfDeletion(server: Server): readonly string[] {
  const volumes = server['os-extended-volumes:volumes_attached'];
  const going = volumes.filter(({ delete_on_termination: goes }) => goes).length;
  const words = texts.servers.losses;
  return [
    words.server(server.name === '' ? server.id : server.name),
    ...(server.image === '' ? [] : [words.disk]),
    ...(going === 0 ? [] : [words.volumesGo(going)]),
    ...(volumes.length === going ? [] : [words.volumesStay(volumes.length - going)]),
    ...(addressesOf(server).length === 0 ? [] : [words.addresses(addressesOf(server).join(', '))]),
  ];
}
