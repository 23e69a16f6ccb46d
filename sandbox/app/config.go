package app

import "strconv"

// config is what is in config/, by the file's name.
func (o Options) config() map[string]any {
	var gates, connectors []entry
	for _, m := range o.Machines {
		gates = append(gates, entry{Host: m.IP, ClientHost: m.IP, ClusterCount: o.Gates, Frontend: true,
			Port: upward(GateRPCPort), ClientPort: upward(GatePort)})
		connectors = append(connectors, entry{Host: m.IP, ClientHost: m.IP, ClusterCount: o.Connectors, Frontend: true,
			Port: upward(ConnectorRPCPort), ClientPort: upward(ConnectorPort)})
	}
	return map[string]any{
		"servers.json": map[string]any{o.Env: map[string][]entry{"gate": gates, "connector": connectors}},
		"master.json": map[string]any{o.Env: struct {
			ID   string `json:"id"`
			Host string `json:"host"`
			Port int    `json:"port"`
		}{"master-server-1", o.Master, MasterPort}},
		"adminUser.json": []map[string]any{
			{"id": "user-1", "username": "admin", "password": "admin", "level": 1},
			{"id": "user-2", "username": "monitor", "password": "monitor", "level": 2},
		},
		"adminServer.json": []map[string]string{
			{"type": "gate", "token": "sandbox-gate"},
			{"type": "connector", "token": "sandbox-connector"},
		},
		"log4js.json": logs(),
		"game.json":   map[string]any{"group": o.Group, "ssh": []string{"-p " + strconv.Itoa(o.SSHPort)}},
	}
}

// upward is a port in Pomelo's own arithmetic: the first process has it, each further one the next.
func upward(port int) string { return strconv.Itoa(port) + "++" }

// logs writes one file for each process, besides what the master has to say of those that went. Nothing goes to the console: on
// all machines but the master's that is an ssh session, and a process whose session broke would fall over its own words.
func logs() map[string]any {
	file := func(name, category string) map[string]any {
		appender := map[string]any{"type": "file", "filename": "${opts:base}/logs/" + name + ".log", "maxLogSize": 1 << 20, "backups": 2,
			"layout": map[string]string{"type": "basic"}}
		if category != "" {
			appender["category"] = category
		}
		return appender
	}
	return map[string]any{
		"appenders": []map[string]any{
			file("pomelo-${opts:serverId}", "pomelo"),
			file("crash", "crash-log"),
			file("console-${opts:serverId}", "console"),
		},
		"levels":         map[string]string{"[all]": "INFO"},
		"replaceConsole": true,
		"lineDebug":      false,
	}
}
