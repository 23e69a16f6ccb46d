package notify

import (
	"context"
	"errors"
	"time"
)

// queued is how many messages may wait for one receiver.
const queued = 32

// Outbox sends messages in the background, for each receiver in the order they were told. It is used by one goroutine.
type Outbox struct {
	boxes []*box
	send  func(Receiver, Message) error
	left  <-chan struct{} // closed once nothing more is sent
	leave context.CancelCauseFunc
	rest  func()
}

// box is what is to be sent to one receiver.
type box struct {
	to     Receiver
	queue  chan Message // nil until there is a message
	done   chan struct{}
	missed []Missed // the sending goroutine's, until done
	full   []Missed
}

// Missed is a message that was not taken.
type Missed struct {
	Receiver int    // its number, from 0
	To       string // its kind
	Message  Message
	Err      error
}

// NewOutbox gives an outbox for some receivers. It starts nothing. What is being sent ends with the outbox, whatever becomes of whoever told it: a
// signal that ends a run is news, too.
func NewOutbox(s *Sender, rs []Receiver) *Outbox {
	ctx, leave := context.WithCancelCause(context.Background())
	o := &Outbox{left: ctx.Done(), leave: leave, rest: s.client.HTTPClient.CloseIdleConnections}
	o.send = func(r Receiver, m Message) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		_, err := s.Send(ctx, r, m)
		return err
	}
	for _, r := range rs {
		o.boxes = append(o.boxes, &box{to: r})
	}
	return o
}

// Tell has a message sent to receiver i. It does not wait. The first one for a receiver begins a goroutine, which ends in Close.
func (o *Outbox) Tell(i int, m Message) {
	b := o.boxes[i]
	if b.queue == nil {
		b.queue, b.done = make(chan Message, queued), make(chan struct{})
		go o.work(i, b)
	}
	select {
	case b.queue <- m:
	default:
		b.full = append(b.full, Missed{i, b.to.To, m, errors.New("too many are waiting already")})
	}
}

func (o *Outbox) work(i int, b *box) {
	defer close(b.done)
	for m := range b.queue {
		if err := o.send(b.to, m); err != nil {
			b.missed = append(b.missed, Missed{i, b.to.To, m, err})
		}
	}
}

// errLeft is why a message was given up.
var errLeft = errors.New("no answer yet, and it is not waited for any longer")

// Close waits until everything is sent, for at most so long in all or until ctx ends, gives up what is left, and gives every message that was not taken
// since the outbox was made. Nothing may be told after it; closing again gives nothing.
func (o *Outbox) Close(ctx context.Context, within time.Duration) []Missed {
	timer := time.NewTimer(within)
	defer timer.Stop()
	for _, b := range o.boxes {
		if b.queue != nil {
			close(b.queue)
		}
	}
	for _, b := range o.boxes {
		if b.queue == nil {
			continue
		}
		select {
		case <-b.done:
		case <-timer.C:
			o.leave(errLeft)
		case <-ctx.Done():
			o.leave(errLeft)
		case <-o.left:
		}
	}
	var all []Missed
	for _, b := range o.boxes {
		if b.queue != nil {
			<-b.done
		}
		all = append(all, append(b.missed, b.full...)...)
	}
	o.leave(errLeft)
	o.boxes = nil
	o.rest()
	return all
}
