package config

// Pomelo is the recipe for a Pomelo service. Its machines and ports are read
// from config/servers.json and config/master.json on each master.
type Pomelo struct {
	// The game-server directory, the same on all machines.
	Dir string `yaml:"dir" jsonschema:"required" is:"dir"`
	// The environment it is started with.
	Env string `yaml:"env" jsonschema:"default=production" is:"id"`
	// The server types that hold sessions; gates hold none.
	Sessions []string `yaml:"sessions" jsonschema:"default=connector" is:"id"`
	// The account on the master's admin port.
	Admin Admin `yaml:"admin"`
	// Asks every gate of a restarted group where it sends players.
	Gate *Gate `yaml:"gate"`
}

// Gate is how a gate is asked for the connector of a user; the answer is taken
// to have host and port.
type Gate struct {
	// The route of the request.
	Route string `yaml:"route" jsonschema:"required" is:"path"`
	// The field of the request that holds the user's number.
	Field string `yaml:"field" jsonschema:"default=uid" is:"id"`
}

// Admin is the account on the admin port of a Pomelo master.
type Admin struct {
	// The name of the account.
	User string `yaml:"user" jsonschema:"default=admin"`
	// Its password.
	Password Secret `yaml:"password"`
}

// Systemd is the recipe for a systemd unit on each machine.
type Systemd struct {
	// The unit, e.g. game.service.
	Unit string `yaml:"unit" jsonschema:"required" is:"unit" bare:"true"`
	// Runs systemctl through sudo, which must not ask for a password.
	Sudo bool `yaml:"sudo"`
}

// Command is the recipe of three command lines, each run by sh on each machine.
type Command struct {
	// The directory the lines are run in, the same on all machines.
	Dir string `yaml:"dir" jsonschema:"required" is:"dir"`
	// Stops the service; stopping a stopped one must succeed.
	Stop string `yaml:"stop" jsonschema:"required" is:"shell"`
	// Starts the service in the background.
	Start string `yaml:"start" jsonschema:"required" is:"shell"`
	// Exits 0 while the service is running.
	Status string `yaml:"status" jsonschema:"required" is:"shell"`
}
