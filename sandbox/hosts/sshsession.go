package hosts

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

// session is one session channel: what it is asked to run, it runs once.
func (s *SSHServer) session(w *wire, asked ssh.NewChannel, open *atomic.Int32) {
	if s.broken(SSHHangSessions) {
		s.untilMended(w)
	}
	if open.Add(1) > int32(s.conf.MaxSessions) || s.broken(SSHRefuseSessions) {
		open.Add(-1)
		_ = asked.Reject(ssh.ConnectionFailed, "open failed") // OpenSSH's word for too many sessions
		return
	}
	defer open.Add(-1)
	channel, requests, err := asked.Accept()
	if err != nil {
		return
	}
	var env []string
	var run *execution
	for r := range requests {
		ok := false
		switch r.Type {
		case "env":
			var v struct{ Name, Value string }
			if ok = ssh.Unmarshal(r.Payload, &v) == nil && (v.Name == "LANG" || strings.HasPrefix(v.Name, "LC_")); ok {
				env = append(env, v.Name+"="+v.Value)
			}
		case "exec", "shell":
			var v struct{ Line string }
			if run == nil && (r.Type == "shell" || ssh.Unmarshal(r.Payload, &v) == nil) {
				run = s.execute(v.Line, env)
				ok = run != nil
			}
		case "signal":
			var v struct{ Name string }
			if ok = ssh.Unmarshal(r.Payload, &v) == nil && run != nil && s.mayLive(run.group); ok {
				_ = signalGroup(run.group, v.Name)
			}
		}
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
		if run != nil && !run.carried { // after the reply: a short command would end and close the channel before it
			s.carry(run, channel)
		}
	}
	// The channel is gone, by either side or with its connection. The command may not be: its pipes break, no more.
	if run != nil {
		run.breakPipes()
	}
	_ = channel.Close()
}

// execution is one running command and our ends of its pipes.
type execution struct {
	cmd   *exec.Cmd
	group int
	ours  []*os.File // stdin, stdout, stderr

	carried bool // its bytes are on their way
}

// execute starts the command; nil when it cannot be started.
func (s *SSHServer) execute(line string, env []string) *execution {
	cmd := command(s.conf.Machine, line, env...)
	stdin, in, err := os.Pipe()
	if err != nil {
		return nil
	}
	out, stdout, outErr := os.Pipe()
	errs, stderr, errsErr := os.Pipe()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	run := &execution{cmd: cmd, ours: []*os.File{in, out, errs}}
	startErr := errors.Join(outErr, errsErr)
	if startErr == nil {
		startErr = s.launch(run)
	}
	for _, theirs := range []*os.File{stdin, stdout, stderr} {
		_ = theirs.Close()
	}
	if startErr != nil {
		run.breakPipes()
		return nil
	}
	return run
}

// carry takes bytes to and from the command until it has ended.
func (s *SSHServer) carry(run *execution, channel ssh.Channel) {
	run.carried = true
	s.wg.Go(func() {
		in := run.ours[0]
		_, _ = io.Copy(in, channel)
		_ = in.Close()
	})
	s.wg.Go(func() { s.attend(run, channel) })
}

// launch starts the command unless the machine is off, so that none escapes the killing.
func (s *SSHServer) launch(run *execution) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	if err := run.cmd.Start(); err != nil {
		return err
	}
	run.group = run.cmd.Process.Pid
	s.groups[run.group] = struct{}{}
	return nil
}

// attend carries the command's output, reports its end at once, and closes the channel when the output ends, which is later
// if the command left a daemon that holds its pipes: OpenSSH does the same.
func (s *SSHServer) attend(run *execution, channel ssh.Channel) {
	var outputs sync.WaitGroup
	for i, to := range []io.Writer{channel, channel.Stderr()} {
		from := run.ours[i+1]
		outputs.Go(func() {
			_, _ = io.Copy(to, from)
			_ = from.Close() // nobody listens any more: the command shall notice
		})
	}
	_ = run.cmd.Wait() // how it ended is in ProcessState
	s.forget(run.group)
	code, sig := ending(run.cmd.ProcessState)
	if sig != "" {
		_, _ = channel.SendRequest("exit-signal", false, ssh.Marshal(struct {
			Name     string
			Core     bool
			Err, Tag string
		}{Name: sig}))
	} else {
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(code)}))
	}
	outputs.Wait()
	_ = channel.CloseWrite()
	_ = channel.Close()
}

func (e *execution) breakPipes() {
	for _, end := range e.ours {
		_ = end.Close() // of a nil file: an error, no more
	}
}

// forget drops the group of a command that has ended, unless it left something running in it.
func (s *SSHServer) forget(group int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !groupLives(group) {
		delete(s.groups, group)
	}
}

func (s *SSHServer) mayLive(group int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, may := s.groups[group]
	return may
}
