package lan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// What the first processes are called, in ps and to Boot. They are no variables of the environment since those are inherited.
const (
	operatorInit = "rollout-lan-operator"
	machineInit  = "rollout-lan-machine"
)

// order is what a first process is told to do, as JSON on its descriptor 3; it answers on 4.
type order struct {
	Path   string   // the operator's program …
	Args   []string // … and its arguments, from the program's name on
	Name   string   // the machine's host name
	Batch  string   // what ip has to do there
	IP     string   // path of ip
	Mounts []mount  // in this order
}

// done is the answer of a first process that has done all it was told.
const done = "done"

// Boot is what a program that uses this package calls before anything else: when Enter or Start has begun this process as the
// first one of new namespaces, Boot is that process and does not return. Otherwise it does nothing.
//
// A first process stays this small because every orphan becomes its child: it must wait for any process, and so must not run
// commands as Go programs do, each of which waits for its own.
func Boot() {
	name := os.Args[0]
	if os.Getpid() != 1 || name != operatorInit && name != machineInit {
		return
	}
	orders, answer := os.NewFile(3, "orders"), os.NewFile(4, "answer")
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)
	born := make(chan os.Signal, 1)
	signal.Notify(born, syscall.SIGCHLD)
	operator, err := obey(name, orders)
	if err != nil {
		_, _ = io.WriteString(answer, err.Error())
		os.Exit(1)
	}
	_, _ = io.WriteString(answer, done)
	_ = answer.Close()
	os.Exit(code(reap(operator, born))) // a machine has no operator and goes on until it is killed
}

// obey carries out what the first process is told, and returns the operator's pid if it is to have one.
func obey(name string, orders *os.File) (int, error) {
	var o order
	if err := json.NewDecoder(orders).Decode(&o); err != nil {
		return 0, fmt.Errorf("orders: %w", err)
	}
	_ = orders.Close()
	if err := furnish(o); err != nil || name == machineInit {
		return 0, err
	}
	return startOperator(o)
}

// furnish makes the new namespaces fit to live in.
func furnish(o order) error {
	// Nothing mounted here may show on the host, nor the other way round.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if o.Name != "" {
		if err := syscall.Sethostname([]byte(o.Name)); err != nil {
			return fmt.Errorf("host name %s: %w", o.Name, err)
		}
	}
	if err := place(o.Mounts); err != nil {
		return err
	}
	return ip(o.IP, "link set lo up\n"+o.Batch)
}

// ip carries out lines of ip's batch language; it stops at the first that fails.
func ip(path, lines string) error {
	cmd := exec.Command(path, "-batch", "-")
	cmd.Stdin = strings.NewReader(lines)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// reap buries every process that ends here, and returns how pid ended; never when pid is 0. born tells of SIGCHLD.
func reap(pid int, born <-chan os.Signal) syscall.WaitStatus {
	for {
		for {
			var s syscall.WaitStatus
			gone, err := syscall.Wait4(-1, &s, syscall.WNOHANG, nil)
			if errors.Is(err, syscall.EINTR) {
				continue
			}
			if err != nil || gone <= 0 {
				break
			}
			if gone == pid {
				return s
			}
		}
		<-born
	}
}

// first is a first process that waits for its orders.
type first struct{ orders, answer *os.File }

// begin starts this program as the first process of the namespaces that cmd asks for.
func begin(cmd *exec.Cmd, name string) (first, error) {
	cmd.Args = []string{name}
	ordersEnd, orders, err := os.Pipe()
	if err != nil {
		return first{}, err
	}
	answer, answerEnd, err := os.Pipe()
	if err != nil {
		return first{}, errors.Join(err, ordersEnd.Close(), orders.Close())
	}
	cmd.ExtraFiles = []*os.File{ordersEnd, answerEnd}
	err = cmd.Start()
	_, _ = ordersEnd.Close(), answerEnd.Close()
	if err != nil {
		return first{}, errors.Join(err, orders.Close(), answer.Close())
	}
	return first{orders, answer}, nil
}

// tell gives the order and returns once it is carried out; an error is the first process's own.
func (f first) tell(o order) error {
	defer f.close()
	if err := json.NewEncoder(f.orders).Encode(o); err != nil {
		return fmt.Errorf("orders: %w", err)
	}
	said, err := io.ReadAll(f.answer)
	switch {
	case err != nil:
		return err
	case len(said) == 0:
		return errors.New("its first process ended before it was ready: does this program call lan.Boot first?")
	case string(said) != done:
		return errors.New(string(said))
	}
	return nil
}

// close lets go of a first process; one that still waits for its orders then ends.
func (f first) close() { _, _ = f.orders.Close(), f.answer.Close() }

// Inside is true in the operator's namespaces. It looks at what runs there first, and at nothing that could be set by mistake.
func Inside() bool { return firstIs(operatorInit) }

func firstIs(name string) bool {
	line, err := os.ReadFile("/proc/1/cmdline")
	return err == nil && filepath.Base(strings.Split(string(line), "\x00")[0]) == name
}
