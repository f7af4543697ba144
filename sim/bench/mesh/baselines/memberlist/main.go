// So many members of HashiCorp's memberlist in one process, with its LAN configuration, each on an address of loopback of its
// own. Measures what all of them use at rest, and how long a broadcast of 200 bytes takes to reach the last of them.
// Prints one JSON object.
package main

import (
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/memberlist"
)

const messageBytes = 200

// What all members have heard of one broadcast.
type heard struct {
	mutex   sync.Mutex
	members map[int]bool
	number  uint64
	done    chan struct{}
	wanted  int
}

func (h *heard) begin(number uint64, wanted int) chan struct{} {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.members = map[int]bool{}
	h.number = number
	h.wanted = wanted
	h.done = make(chan struct{})
	return h.done
}

func (h *heard) by(member int, number uint64) bool {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if number != h.number || h.members[member] {
		return false
	}
	h.members[member] = true
	if len(h.members) == h.wanted {
		close(h.done)
	}
	return true
}

type delegate struct {
	index int
	heard *heard
	queue *memberlist.TransmitLimitedQueue
}

func (d *delegate) NodeMeta(int) []byte { return nil }

// Passes on what is new to it, as Serf does with its events.
func (d *delegate) NotifyMsg(message []byte) {
	if len(message) != messageBytes {
		return
	}
	if d.heard.by(d.index, binary.BigEndian.Uint64(message)) {
		d.queue.QueueBroadcast(broadcast(append([]byte(nil), message...)))
	}
}
func (d *delegate) GetBroadcasts(overhead, limit int) [][]byte {
	return d.queue.GetBroadcasts(overhead, limit)
}
func (d *delegate) LocalState(bool) []byte       { return nil }
func (d *delegate) MergeRemoteState([]byte, bool) {}

type broadcast []byte

func (b broadcast) Invalidates(memberlist.Broadcast) bool { return false }
func (b broadcast) Message() []byte                       { return b }
func (b broadcast) Finished()                             {}

func main() {
	members := flag.Int("members", 100, "how many")
	changes := flag.Int("changes", 30, "broadcasts, one after the other")
	rest := flag.Duration("rest", 30*time.Second, "how long to measure at rest")
	port := flag.Int("port", 7946, "of every member")
	flag.Parse()

	shared := &heard{}
	lists := make([]*memberlist.Memberlist, 0, *members)
	delegates := make([]*delegate, 0, *members)
	for index := 0; index < *members; index++ {
		config := memberlist.DefaultLANConfig()
		config.Name = "m" + strconv.Itoa(index)
		config.BindAddr = fmt.Sprintf("127.78.%d.%d", index/250, index%250+1)
		config.AdvertiseAddr = config.BindAddr
		config.BindPort = *port
		config.AdvertisePort = *port
		config.Logger = log.New(io.Discard, "", 0)
		own := &delegate{index: index, heard: shared}
		config.Delegate = own
		list, err := memberlist.Create(config)
		fatal(err)
		own.queue = &memberlist.TransmitLimitedQueue{NumNodes: list.NumMembers, RetransmitMult: config.RetransmitMult}
		if index > 0 {
			_, err = list.Join([]string{fmt.Sprintf("127.78.0.1:%d", *port)})
			fatal(err)
		}
		lists = append(lists, list)
		delegates = append(delegates, own)
	}
	until := time.Now().Add(2 * time.Minute)
	for _, list := range lists {
		for list.NumMembers() < *members {
			if time.Now().After(until) {
				fatal(fmt.Errorf("the members do not find one another"))
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	time.Sleep(10 * time.Second)

	before := cpuSeconds()
	time.Sleep(*rest)
	cpuPercent := (cpuSeconds() - before) / rest.Seconds() * 100 / float64(*members)

	seenMs := make([]float64, 0, *changes)
	for change := 0; change < *changes; change++ {
		message := make([]byte, messageBytes)
		number := uint64(change + 1)
		binary.BigEndian.PutUint64(message, number)
		done := shared.begin(number, *members)
		from := delegates[change*7%*members]
		began := time.Now()
		shared.by(from.index, number)
		from.queue.QueueBroadcast(broadcast(message))
		select {
		case <-done:
			seenMs = append(seenMs, float64(time.Since(began).Microseconds())/1000)
		case <-time.After(30 * time.Second):
		}
		time.Sleep(500 * time.Millisecond)
	}
	fatal(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"cpuPercent": cpuPercent,
		"rssMib":     rssMib() / float64(*members),
		"seenMs":     seenMs,
	}))
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	fatal(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func rssMib() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	fatal(err)
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	fatal(err)
	return float64(pages*os.Getpagesize()) / (1 << 20)
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
