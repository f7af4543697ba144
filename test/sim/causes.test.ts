import t from 'tap';
import { causesOf, namesIn } from '../../sim/trace/causes.ts';

const server = '39e51c76-85ae-8948-be10-1afde317045b';
const other = '765b9db0-37e6-829f-86a2-700279b22559';

t.test('names are those of members, hosts and things, whatever they are called', async (t) => {
  const text = `members 2 and 13 both lead; h4 has ${server}, host ${'7'.padStart(32, '0')} took c1/22 of k/r3`;
  t.same([...namesIn(text)].sort(), ['c1/22', 'k/r3', 'n13', 'n2', 'n4', 'n7', server].sort());
});

t.test('the story of a server is what befell it and the hosts that had to do with it', async (t) => {
  const trace = [
    '       1.000 n1     boots (1)\n',
    '       1.500 n9     boots (1)\n',
    `       2.000 p1     create p1/1 by n1: done ${server}\n`,
    `       2.500 p2     create p2/1 by n9: done ${other}\n`,
    `       3.000 h2     compute startGuest ${server}\n`,
    `       3.100 h9     compute startGuest ${other}\n`,
    '       4.000 fault  net-isolate 9 is alone\n',
    '       5.000 fault  host-power-cut n2\n',
    '       5.500 n1     hears MsgAppResp from n2 term 2 at 3/2 commit 3\n',
    '       6.000 fault  host-power-cut ends\n',
    '       6.500 h9     network setForwarding\n',
    '       7.000 fault  net-storm loss 40 %\n',
    `       8.000 h3     compute startGuest ${server}\n`,
    '       9.000 sim    safety: a server never runs on two hosts at once\n',
  ];
  t.same(causesOf(trace, `server ${server} runs on n2 and on n3`), [
    '       1.000 n1     boots (1)',
    `       2.000 p1     create p1/1 by n1: done ${server}`,
    `       3.000 h2     compute startGuest ${server}`,
    '       5.000 fault  host-power-cut n2 (it has ended since)',
    '       7.000 fault  net-storm loss 40 %',
    `       8.000 h3     compute startGuest ${server}`,
  ]);
});

t.test('the story of members is told by votes and entries, not by acknowledgements', async (t) => {
  const trace = [
    '       1.000 n1     info: leadership {"leader":1,"role":"leader","term":2}\n',
    '       2.100 n1     hears MsgAppResp from n2 term 2 at 3/2 commit 3\n',
    '       2.200 n2     hears MsgApp from n1 term 2 at 3/2 commit 3\n',
    '       2.250 fault  agent-pause n1 900 ms\n',
    '       2.300 n2     hears MsgApp from n1 term 2 at 3/2 commit 3 entries 1\n',
    '       4.000 n2     hears MsgVote from n3 term 3 at 3/2 commit 0\n',
  ];
  t.same(
    causesOf(trace, 'member 2 votes for 3 in term 3').map((line) => line.trim().split(' ', 1)[0]),
    ['1.000', '2.250', '2.300', '4.000'],
  );
});

t.test('a long story is cut to its end', async (t) => {
  const trace = Array.from(
    { length: 5_000 },
    (_, at) => `${at}.000 n1     warn: trouble of kind ${String.fromCharCode(97 + (at % 26)).repeat(1 + (at % 40))}\n`,
  );
  const story = causesOf(trace, 'member 1 is at fault');
  t.equal(story.length, 30);
  t.match(story.at(-1), /^4999/);
});
