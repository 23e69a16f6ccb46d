// Package notify tells people in their chat what they would want to be told: robots of DingTalk, Feishu (Lark), WeCom and Slack, and any webhook.
//
//   - A [Message] is one piece of news: a title and a few lines.
//   - A [Receiver] is where news goes. [Sender.Send] tells it one message and checks that it was taken: these services say 200 and mean no.
//   - An [Outbox] sends in the background, in order for each receiver. Its [Outbox.Tell] never waits, and its [Outbox.Close] waits only so long.
//
// The package must not know what a run is, which news is worth telling, or to whom: it makes bodies and signatures of what it is given. Nothing that it
// returns holds an address, a token or a key.
package notify
