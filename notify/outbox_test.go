package notify

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// office is a wire behind which one host hangs and the others take everything.
type office struct {
	mu   sync.Mutex
	took []string
}

func (o *office) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == "hangs.example" {
		return hangs(r)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.took = append(o.took, r.Header.Get(headerID))
	return says(200, "ok"), nil
}

func to(host string) Receiver { return Receiver{To: Webhook, URL: Secret("https://" + host + "/hook")} }

func numbered(i int) Message { return Message{ID: fmt.Sprint(i), Title: fmt.Sprintf("message %d", i)} }

// TestAReceiverThatHangsDelaysNothing tells it more than it can hold, in no time at all, and waits for it at the end only so long.
func TestAReceiverThatHangsDelaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, at := time.Now(), &office{}
		o := NewOutbox(NewSender(at), []Receiver{to("hangs.example"), to("takes.example")})
		for i := range queued + 10 {
			o.Tell(0, numbered(i))
		}
		o.Tell(1, numbered(100))
		if d := time.Since(began); d != 0 {
			t.Errorf("telling took %s", d)
		}
		synctest.Wait()
		if len(at.took) != 1 {
			t.Errorf("the other receiver has had %v, want its message at once", at.took)
		}
		missed := o.Close(t.Context(), 5*time.Second)
		if d := time.Since(began); d != 5*time.Second {
			t.Errorf("closing took %s", d)
		}
		if len(missed) != queued+10 {
			t.Errorf("%d messages are said to be missed, want %d", len(missed), queued+10)
		}
		if m := missed[0]; m.Receiver != 0 || m.To != Webhook || m.Message.Title != "message 0" || !strings.Contains(m.Err.Error(), "not waited for") {
			t.Errorf("got %+v", m)
		}
		if again := o.Close(t.Context(), time.Minute); again != nil {
			t.Errorf("closing again gives %v", again)
		}
	})
}

func TestMessagesArriveInTheOrderTheyWereTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := &office{}
		o := NewOutbox(NewSender(at), []Receiver{to("takes.example")})
		var want []string
		for i := range 20 {
			o.Tell(0, numbered(i))
			want = append(want, fmt.Sprint(i))
		}
		if missed := o.Close(t.Context(), time.Second); missed != nil || !slices.Equal(at.took, want) {
			t.Errorf("got %v, missed %v", at.took, missed)
		}
	})
}

func TestASignalEndsTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		o := NewOutbox(NewSender(&office{}), []Receiver{to("hangs.example")})
		o.Tell(0, numbered(1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if missed := o.Close(ctx, time.Minute); len(missed) != 1 || time.Since(began) != time.Second {
			t.Errorf("got %v after %s", missed, time.Since(began))
		}
	})
}

func TestAFailureWhileTheRunGoesOnIsToldAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := NewOutbox(NewSender(wire(func(*http.Request) (*http.Response, error) { return says(403, "no"), nil })), []Receiver{to("a.example")})
		o.Tell(0, numbered(1))
		time.Sleep(time.Hour)
		o.Tell(0, numbered(2))
		missed := o.Close(t.Context(), time.Second)
		if len(missed) != 2 || missed[1].Message.ID != "2" || missed[0].Err.Error() != "it answers HTTP 403 Forbidden: no" {
			t.Errorf("got %+v", missed)
		}
	})
}

func TestAnOutboxThatWasToldNothingHasNothingToWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if missed := NewOutbox(NewSender(nil), []Receiver{to("a.example")}).Close(t.Context(), time.Hour); missed != nil || time.Since(began) != 0 {
			t.Errorf("got %v after %s", missed, time.Since(began))
		}
	})
}
