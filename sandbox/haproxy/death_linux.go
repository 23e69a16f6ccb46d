package haproxy

import "syscall"

// dieWithUs has the kernel kill HAProxy when we end without closing it. Its own
// group keeps an interrupt at the terminal for us, who close it in order.
func dieWithUs() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
