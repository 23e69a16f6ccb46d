package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The kinds of receivers.
const (
	DingTalk = "dingtalk"
	Feishu   = "feishu"
	WeCom    = "wecom"
	Slack    = "slack"
	Webhook  = "webhook"
)

// Receiver is where news goes.
type Receiver struct {
	To     string // one of the kinds
	URL    Secret // https, or http on loopback
	Secret Secret // the key of the signature; empty: nothing is signed
}

// Host is the part of the address that may be shown.
func (r Receiver) Host() string {
	u, err := url.Parse(string(r.URL))
	if err != nil {
		return ""
	}
	return u.Host
}

// address is where to post to.
func (r Receiver) address() (*url.URL, error) {
	u, err := url.Parse(string(r.URL))
	if err != nil || u.Hostname() == "" { // the error would show it
		return nil, errors.New("the url cannot be read")
	}
	if u.User != nil { // a receiver that says back what it was sent would show it, in Base64
		return nil, errors.New("the url holds a user or a password before its host, which is refused: take one with a token in its path")
	}
	a, err := netip.ParseAddr(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost" && (err != nil || !a.Unmap().IsLoopback())) {
		return nil, errors.New("the url is neither https nor on loopback")
	}
	return u, nil
}

// shortest is how long a part of an address is at least that is taken for a token. A word of its path is no secret.
const shortest = 8

// mask takes out of a text what nobody may see: an answer may say back all that it was told.
func (r Receiver) mask(text string, more ...string) string {
	all := slices.Concat(more, []string{string(r.URL), string(r.Secret)})
	if u, err := url.Parse(string(r.URL)); err == nil {
		all = append(all, u.RequestURI(), u.RawQuery)
		all = append(all, strings.Split(u.Path, "/")...)
		all = append(all, strings.Split(u.EscapedPath(), "/")...)
		for _, vs := range u.Query() {
			all = append(all, vs...)
		}
		for _, pair := range strings.Split(u.RawQuery, "&") {
			_, v, _ := strings.Cut(pair, "=")
			all = append(all, v)
		}
	}
	for _, s := range all {
		if len(s) >= shortest || s != "" && (s == string(r.Secret) || s == string(r.URL)) {
			text = strings.ReplaceAll(text, s, hidden)
			text = strings.ReplaceAll(text, url.QueryEscape(s), hidden)
		}
	}
	return text
}

// post is one request, ready to be sent.
type post struct {
	url    *url.URL
	header http.Header
	body   []byte
	signed string // the signature, which nobody may see
}

// post makes the request that tells m.
func (r Receiver) post(m Message, at time.Time) (post, error) {
	u, err := r.address()
	if err != nil {
		return post{}, err
	}
	p := post{url: u, header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}}
	switch r.To {
	case DingTalk:
		err = p.dingTalk(r, m, at)
	case Feishu:
		err = p.feishu(r, m, at)
	case WeCom:
		err = p.wecom(m)
	case Slack:
		err = p.slack(m)
	case Webhook:
		err = p.webhook(r, m, at)
	default:
		err = errors.New("nobody knows how to tell " + r.To)
	}
	return p, err
}

// taken says whether an answer means that the message was taken, and what it says then.
func (r Receiver) taken(a answer) (string, error) {
	switch r.To {
	case DingTalk:
		return a.coded("errcode", "errmsg", "310000", "300001", "300005", "400101")
	case WeCom:
		return a.coded("errcode", "errmsg", "93000")
	case Feishu:
		return a.feishu()
	case Slack:
		return a.slack()
	}
	return a.plain()
}

// signature is the HMAC of a text by SHA-256.
func signature(key, text string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	_, _ = h.Write([]byte(text)) // a hash takes everything
	return h.Sum(nil)
}
