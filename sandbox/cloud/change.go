package cloud

// readChanges reads what the call asks to change, for the log and for faults
// that concern a backend, before anything is checked.
func (q *call) readChanges() {
	switch q.action {
	case "UpdateBackendAttribute", "ReleaseBackend", "AllocateBackend":
		q.readChange(q.params, "BackendId")
	case "UpdateBackendBatch":
		for _, p := range q.list("Attributes") {
			q.readChange(p, "BackendId")
		}
	case "UpdateTargetsAttribute", "UpdateNLBTargetsAttribute":
		for _, p := range q.list("Targets") {
			q.readChange(p, "Id")
		}
	}
}

func (q *call) readChange(p params, id string) {
	change := Change{Backend: p.text(id)}
	var errs [4]error
	change.Enabled, errs[0] = p.yes("Enabled")
	change.IsBackup, errs[1] = p.yes("IsBackup")
	change.Weight, errs[2] = p.whole("Weight")
	change.Port, errs[3] = p.whole("Port")
	for _, err := range errs {
		if q.badParam == nil {
			q.badParam = err
		}
	}
	q.changes = append(q.changes, change)
}

// backendIDs returns the ids the call names.
func (q *call) backendIDs() []string {
	ids := make([]string, len(q.changes))
	for i, change := range q.changes {
		ids[i] = change.Backend
	}
	return ids
}

// allowed checks a change of a backend of a listener.
func (q *call) allowed(l *listener, change Change) error {
	if change.Weight != nil {
		w := *change.Weight
		if w < 0 || w > 100 || w == 0 && q.zeroWeight() == ZeroRefused {
			return refusal{q.c.o.WeightCode, "Params [Weight] not available"}
		}
	}
	if change.Port != nil {
		if err := q.c.fixed("Port"); err != nil {
			return err
		}
		return portAllowed(l, *change.Port)
	}
	return nil
}

func portAllowed(l *listener, port int) error {
	if port < 1 || port > 65535 {
		return refuse(codePortRange)
	}
	if l.settings.last().ListenType == PacketsTransmit && port != l.port {
		return refuse(codePortDiffers)
	}
	return nil
}

// zeroWeight returns how a Weight of 0 is taken now.
func (q *call) zeroWeight() ZeroWeight {
	switch q.effects.zero {
	case "":
		return q.c.o.ZeroWeight
	case "accepted":
		return ZeroAccepted
	default:
		return ZeroWeight(q.effects.zero)
	}
}

// apply makes a change that is allowed: what was not sent stays. Under the
// method Backup, Enabled and Weight are accepted and ignored, as UCloud's
// document of the batch says.
func (q *call) apply(b *backend, change Change) {
	ignores := b.of.settings.last().method() == "backup"
	if ignores {
		change.Enabled, change.Weight = nil, nil
	}
	if change.Weight != nil && *change.Weight == 0 && q.zeroWeight() == ZeroAsOne {
		one := 1
		change.Weight = &one
	}
	if change.Enabled == nil && change.Weight == nil && change.Port == nil && change.IsBackup == nil {
		return
	}
	q.write(func(told, real bool) {
		q.c.state.change(b, told, real, func(is *Backend) {
			set(&is.Enabled, change.Enabled)
			set(&is.Weight, change.Weight)
			set(&is.Port, change.Port)
			set(&is.IsBackup, change.IsBackup)
		})
	})
}

// write does f as the faults allow: now, late, only in what is told, or not at
// all. The caller holds the state.
func (q *call) write(f func(told, real bool)) {
	switch {
	case q.effects.silent:
	case q.effects.late > 0:
		q.applied = true
		q.c.later(q.effects.late, func() {
			q.c.state.mu.Lock()
			f(true, !q.effects.lie)
			q.c.state.mu.Unlock()
			_ = q.c.steer() // kept in steering, for Close
		})
	default:
		q.applied = true
		f(true, !q.effects.lie)
	}
}

func set[T any](to, value *T) {
	if value != nil {
		*to = *value
	}
}
