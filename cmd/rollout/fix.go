package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/pomelo"
	"github.com/seed59ee9cdc/rollout/remote"
	"github.com/seed59ee9cdc/rollout/ulb"
)

// unfold takes apart what is wrong and what mends it, where an error says both.
func unfold(err error) (text, fix string) {
	var state *journal.Flaw
	var balancer *ulb.Flaw
	var advice *pomelo.Advice
	var fault *pomelo.Fault
	text = err.Error()
	switch {
	case errors.As(err, &state):
		fix = state.Fix
	case errors.As(err, &balancer):
		fix = balancer.Fix
	case errors.As(err, &advice):
		fix = advice.Fix
	case errors.As(err, &fault):
		at := fault.File
		if fault.Line > 0 {
			at += ":" + strconv.Itoa(fault.Line)
		}
		return text, "correct " + at + " on every machine of its group"
	default:
		return text, ""
	}
	return strings.TrimRight(strings.TrimSuffix(text, fix), ";: "), fix
}

// isWarning says whether an error need not stop a rollout.
func isWarning(err error) bool {
	_, warns := errors.AsType[*pomelo.Warning](err)
	return warns
}

// apiFix says what to do where the load balancer could not be read.
func (v *survey) apiFix(err error) string {
	var auth *ulb.AuthError
	var missing *ulb.NotFoundError
	var api *ulb.APIError
	set, c := v.settings, v.site.cfg
	switch {
	case errors.As(err, &auth):
		return v.keyFix(auth)
	case errors.As(err, &missing) && strings.HasPrefix(missing.What, "listener"):
		return "name the listeners that the console shows for it as ulb.vservers, or leave ulb.vservers out"
	case errors.As(err, &missing):
		return fmt.Sprintf("compare ulb.id (%s), ucloud.region (%s) and ucloud.project_id (%s) with the console", c.ULB.ID, or(set.Region, "none"), or(set.ProjectID, "none"))
	case errors.As(err, &api):
		return fmt.Sprintf("compare ucloud.region (%s) and ucloud.project_id (%s) with the console; UCloud's documents on the API say what RetCode %d is", or(set.Region, "none"), or(set.ProjectID, "none"), api.RetCode)
	}
	return fmt.Sprintf("does it answer from here? curl -sS %s; a proxy is named by HTTPS_PROXY, another address by ucloud.base_url", set.BaseURL)
}

// reads and writes are the actions of each kind of balancer that a key must be allowed.
var (
	reads = map[string]string{"ulb": "DescribeULB and DescribeVServer", "alb": "DescribeLoadBalancers and DescribeListeners", "nlb": "DescribeNetworkLoadBalancers and DescribeNLBListeners"}
	write = map[string]string{"ulb": "UpdateBackendAttribute", "alb": "UpdateTargetsAttribute", "nlb": "UpdateNLBTargetsAttribute"}
)

// kind is the family of the balancer, by its id.
func (s *site) kind() string {
	kind, _, _ := strings.Cut(s.cfg.ULB.ID, "-")
	return kind
}

// keyFix says what to do about credentials that were refused.
func (v *survey) keyFix(err *ulb.AuthError) string {
	var api *ulb.APIError
	if !errors.As(err, &api) {
		return "set both UCLOUD_PUBLIC_KEY and UCLOUD_PRIVATE_KEY, or name as ucloud.profile a profile of ucloud-cli that has a key pair"
	}
	from, kind := v.settings.Origin["keys"], v.site.kind()
	switch api.RetCode {
	case 171:
		return "the private key is not that of the public key: copy both from the console (API keys) to where they come from: " + from
	case 172:
		return "UCloud does not know the public key: copy a pair from the console (API keys) to where it comes from: " + from
	case 173, 174:
		return "the security token is over or not one of these keys: take a new one, or keys that need none; they come from: " + from
	case 292:
		return fmt.Sprintf("set ucloud.project_id (%s) to a project of this account: the console lists them", or(v.settings.ProjectID, "none"))
	case 293:
		return fmt.Sprintf("set ucloud.region (%s) to one that the project may use, or ask the account's owner to open it for the project", or(v.settings.Region, "none"))
	case 294:
		return "add the address this machine has towards UCloud to those the API key may be used from, in the console (API keys)"
	case 295:
		return "take the security lock off the account, in the console (account security)"
	}
	return fmt.Sprintf("allow this key %s, and %s for the rollout itself, in the console (access management)", reads[kind], write[kind])
}

// sshFix says what to do where a machine could not be logged in to.
func (s *site) sshFix(m groups.Machine, err error) string {
	var unknown *remote.UnknownHostError
	var changed *remote.ChangedHostError
	var revoked *remote.RevokedHostError
	var login *remote.AuthError
	var slow *remote.TimeoutError
	var key *remote.KeyError
	switch {
	case errors.As(err, &key):
		return "name as ssh.keys a private key that is there and yours alone (chmod 600); an encrypted one wants ssh-add, or a terminal to ask on"
	case errors.As(err, &unknown):
		return fmt.Sprintf("on the machine itself type ssh-keygen -lf %s, and where it prints the same: rollout trust %s", hostKeyFile(unknown.Type), m.Name)
	case errors.As(err, &changed):
		file, _, _ := cutLast(changed.Known[0], ":")
		return fmt.Sprintf("only if it was installed anew: ssh-keygen -R '%s' -f %s && rollout trust %s", knownAs(changed.Addr), file, m.Name)
	case errors.As(err, &revoked):
		return fmt.Sprintf("give the machine a new host key, or take the mark out of %s if it is wrong there", revoked.Known)
	case errors.As(err, &login):
		return fmt.Sprintf("add the public half of one of these keys to ~%s/.ssh/authorized_keys there, or name others as ssh.keys, or another user as ssh.user", login.User)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("start sshd there, or name the port it listens on as ssh.port, or port: of %s", m.Name)
	case errors.As(err, &slow) && slow.During == remote.Handshaking:
		return "whoever listens at that port says nothing: is it sshd (ssh.port), and is the machine overloaded?"
	case errors.As(err, &slow) && slow.During == remote.Dialing:
		return fmt.Sprintf("is it up, is host: of %s its address, and does the firewall let this machine in? ssh.port is the port", m.Name)
	}
	return fmt.Sprintf("mend what `ssh -v %s true` shows; rollout logs in with ssh.user, ssh.port and ssh.keys", m.Host)
}

// hostKeyFile is where sshd keeps the public half of a host key of that type.
func hostKeyFile(kind string) string {
	short := "rsa"
	switch {
	case strings.Contains(kind, "ed25519"):
		short = "ed25519"
	case strings.Contains(kind, "ecdsa"):
		short = "ecdsa"
	}
	return "/etc/ssh/ssh_host_" + short + "_key.pub"
}

// knownAs is how known_hosts writes host:port.
func knownAs(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "22" {
		return host
	}
	return "[" + host + "]:" + port
}

// cutLast is strings.Cut at the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// or gives s, or another word for nothing.
func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// matchFix says what to do where machines and backends do not match.
func matchFix(err error) string {
	var stray *groups.StrayError
	if errors.As(err, &stray) {
		return "list its machine in rollout.yaml, or take the backend out of the balancer in the console; where other listeners are another service's, name ours as ulb.vservers"
	}
	var bare *groups.BareError
	if errors.As(err, &bare) {
		return fmt.Sprintf("add a backend for it in the console, or give %s the address: that the balancer knows it by, or take it out of rollout.yaml", bare.Machine)
	}
	return "correct groups: in rollout.yaml"
}
