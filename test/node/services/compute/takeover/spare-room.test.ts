import t from 'tap';
import { freeRoom, withoutRoom } from '../../../../../node/services/compute/takeover/spare-room.ts';

const server = (name: string, memoryMib: number, priority = 50) => ({ name, vcpus: 1, memoryMib, priority });

t.test('which servers of a lost host would find no room', async (t) => {
  t.same(withoutRoom([server('a', 1024)], [{ vcpus: 1, memoryMib: 1024 }]), []);
  t.same(withoutRoom([server('a', 1024)], []), ['a'], 'there is no other host');
  t.same(withoutRoom([server('a', 1025)], [{ vcpus: 9, memoryMib: 1024 }]), ['a']);
  t.same(withoutRoom([server('a', 1)], [{ vcpus: 0, memoryMib: 9_999 }]), ['a'], 'memory is not all');
  const rooms = [
    { vcpus: 4, memoryMib: 1024 },
    { vcpus: 4, memoryMib: 2048 },
  ];
  t.same(withoutRoom([server('small', 512), server('large', 2048)], rooms), [], 'the largest first');
  const three = [server('x', 2048, 10), server('y', 2048, 90), server('z', 2048, 50)];
  t.same(withoutRoom(three, rooms), ['z', 'x'], 'the higher priority has the room');
  t.same(rooms[1], { vcpus: 4, memoryMib: 2048 }, 'nothing that was given is changed');
});

t.test('free is what is not reserved and not used, as often as a host gives it away', async (t) => {
  const told = { vcpus: 8, vcpusReserved: 2, vcpusRatio: 4, vcpusUsed: 20, memoryMib: 1000, memoryMibReserved: 100 };
  t.same(freeRoom({ ...told, memoryRatio: 1, memoryMibUsed: 950 }), { vcpus: 4, memoryMib: 0 });
});
