package haproxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Proxy is a running HAProxy. All its methods may be called from several
// goroutines.
type Proxy struct {
	socket, logFile string
	cancel          context.CancelFunc
	exited          chan struct{} // closed when the process has ended
	exit            error         // how it ended, to be read when exited is closed
	byItself        bool          // it ended, but not by Close or ctx; likewise
}

// Start writes the configuration, runs HAProxy in the foreground and waits
// until its socket answers. It ends with Close, or by itself when ctx is done,
// or, on Linux, with the process that started it. An error tells HAProxy's own
// words.
func Start(ctx context.Context, o Options) (*Proxy, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(o.Dir, "haproxy.cfg")
	ctx, cancel := context.WithCancel(ctx)
	p := &Proxy{
		socket: filepath.Join(o.Dir, "haproxy.sock"), logFile: filepath.Join(o.Dir, "haproxy.log"),
		cancel: cancel, exited: make(chan struct{}),
	}
	if err := os.WriteFile(file, []byte(config(o, p.socket)), 0o600); err != nil {
		cancel()
		return nil, fmt.Errorf("haproxy: %w", err)
	}
	words := append(append([]string{}, o.Under...), o.Binary, "-db", "-f", file)
	if err := p.run(ctx, words); err != nil {
		cancel()
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			err = fmt.Errorf("%w; apt-get install haproxy brings it", err)
		}
		return nil, fmt.Errorf("haproxy: %w", err)
	}
	if err := p.answers(ctx, o.Fronts); err != nil {
		_ = p.Close() // has nothing to add
		return nil, err
	}
	return p, nil
}

// run starts the process and keeps an eye on it.
func (p *Proxy) run(ctx context.Context, words []string) error {
	log, err := os.OpenFile(p.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithUs()
	// HAProxy ends at once on SIGTERM and cuts what is open.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 3 * time.Second
	began := make(chan error, 1)
	go func() {
		// The death signal comes when the thread ends that started the process,
		// so this one is kept until then.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.exited)
		err := cmd.Start()
		began <- err
		if err == nil {
			p.exit = cmp.Or(cmd.Wait(), errors.New("exit status 0"))
			p.byItself = ctx.Err() == nil
		}
		_ = log.Close() // HAProxy writes to its own descriptor
	}()
	return <-began
}

// answers waits until HAProxy speaks of every front.
func (p *Proxy) answers(ctx context.Context, fronts map[string]Front) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		err := p.asked(ctx, fronts)
		if err == nil {
			return nil
		}
		wait := time.NewTimer(20 * time.Millisecond)
		select {
		case <-wait.C:
		case <-p.exited:
			wait.Stop()
			return p.gone(errors.New("it did not start"))
		case <-ctx.Done():
			wait.Stop()
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		}
	}
}

func (p *Proxy) asked(ctx context.Context, fronts map[string]Front) error {
	for id, f := range fronts {
		servers, err := p.servers(ctx, id)
		if err != nil {
			return err
		}
		if len(servers) != len(f.Servers) {
			return fmt.Errorf("haproxy: front %s has %d servers, want %d", id, len(servers), len(f.Servers))
		}
	}
	return nil
}

// gone adds to the error of a conversation that the process has ended, and its
// last words.
func (p *Proxy) gone(err error) error {
	select {
	case <-p.exited:
	default:
		return fmt.Errorf("haproxy: %w", err)
	}
	words, _ := os.ReadFile(p.logFile) // best effort: the error is told anyway
	lines := strings.Split(strings.TrimSpace(string(words)), "\n")
	last := strings.Join(lines[max(0, len(lines)-8):], "\n")
	return fmt.Errorf("haproxy: %w: it has ended (%w), saying:\n%s", err, p.exit, last)
}

// Close ends HAProxy, cuts its connections and waits until it has ended. A
// second Close is harmless. It is an error when HAProxy had ended by itself.
func (p *Proxy) Close() error {
	p.cancel()
	<-p.exited
	if p.byItself {
		return p.gone(errors.New("close"))
	}
	return nil
}
