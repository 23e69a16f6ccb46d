package hosts

import (
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// forward is a direct-tcpip channel: a jump to another machine of the world, and no further than loopback.
func forward(asked ssh.NewChannel) {
	var to struct {
		Host       string
		Port       uint32
		OriginHost string
		OriginPort uint32
	}
	if err := ssh.Unmarshal(asked.ExtraData(), &to); err != nil {
		_ = asked.Reject(ssh.ConnectionFailed, "a malformed address")
		return
	}
	ip := net.ParseIP(to.Host)
	if !slices.Contains([]string{"localhost", ""}, to.Host) && (ip == nil || !ip.IsLoopback()) {
		_ = asked.Reject(ssh.Prohibited, "the world ends at loopback")
		return
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))), 5*time.Second)
	if err != nil {
		_ = asked.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	channel, requests, err := asked.Accept()
	if err != nil {
		_ = conn.Close()
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		ssh.DiscardRequests(requests) // ends with the channel
		_ = conn.Close()
	})
	wg.Go(func() {
		_, _ = io.Copy(conn, channel)
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
	})
	_, _ = io.Copy(channel, conn)
	_ = channel.CloseWrite()
	_ = channel.Close()
	wg.Wait()
}
