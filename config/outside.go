package config

import "time"

// State is where the journal and the lock are kept.
type State struct {
	// local keeps them in a directory of this machine, etcd shares them.
	Backend Backend `yaml:"backend" jsonschema:"enum=local,enum=etcd,default=local" bare:"true"`
	// For local: the directory; by default $XDG_STATE_HOME/rollout.
	Dir string `yaml:"dir" is:"path"`
	// For etcd: its addresses, each https://host:port.
	Endpoints []string `yaml:"endpoints" is:"url" bare:"true"`
	// For etcd: where its keys start.
	Prefix string `yaml:"prefix" jsonschema:"default=/rollout" is:"dir"`
	// For etcd: how long the lock outlives a process that died.
	TTL time.Duration `yaml:"ttl" jsonschema:"minimum=1s,maximum=10m,default=10s"`
	// For etcd: the account.
	User string `yaml:"user"`
	// For etcd: its password.
	Password Secret `yaml:"password"`
	// For etcd: the file of the authority that signed its certificate.
	CA string `yaml:"ca" is:"path"`
	// For etcd: the file of the client's certificate.
	Cert string `yaml:"cert" is:"path"`
	// For etcd: the file of the client's key.
	Key string `yaml:"key" is:"path"`
}

// Backend is the kind of store for journal and lock.
type Backend string

const (
	// StateLocal is a directory of this machine.
	StateLocal Backend = "local"
	// StateEtcd is shared by several machines.
	StateEtcd Backend = "etcd"
)

// Notify is one receiver of news.
type Notify struct {
	// The kind of receiver.
	To string `yaml:"to" jsonschema:"required,enum=dingtalk,enum=feishu,enum=wecom,enum=slack,enum=webhook"`
	// Where the news is posted: https, or http on loopback. It often holds a
	// token, so it is kept as a secret.
	URL Secret `yaml:"url" jsonschema:"required" is:"api"`
	// The key the news is signed with: for dingtalk and feishu, where the robot
	// wants it, and required for webhook.
	Secret Secret `yaml:"secret"`
	// What is told. failed is each bad end: held and rolled_back.
	On []string `yaml:"on" jsonschema:"enum=started,enum=paused,enum=held,enum=failed,enum=rolled_back,enum=finished,enum=drain_slow,enum=alarm,default=started,default=failed,default=finished"`
	// The language.
	Lang string `yaml:"lang" jsonschema:"enum=en,enum=zh-CN,default=en"`
}

// Hooks are lines for sh on this machine, run in the directory of rollout.yaml.
type Hooks struct {
	// Runs before the first step; when it fails nothing is touched.
	Before string `yaml:"before" is:"shell"`
	// Runs after the last step, whatever came of the rollout.
	After string `yaml:"after" is:"shell"`
}

// Dashboard is the web page.
type Dashboard struct {
	// The address it listens on.
	Listen string `yaml:"listen" jsonschema:"default=127.0.0.1:8742" is:"listen"`
}
