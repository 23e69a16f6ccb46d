package pomelo

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing/fstest"
)

// corpus makes configurations as people write them, and as they should not.
type corpus struct{ *rand.Rand }

func (g corpus) pick(of ...string) string { return of[g.IntN(len(of))] }

// one is an application directory.
func (g corpus) one() fstest.MapFS {
	file := g.servers()
	files := map[string]string{"servers.json": file}
	switch g.IntN(6) {
	case 0:
		files = map[string]string{"servers.json": "-", "production/servers.json": file}
	case 1:
		files["servers.json"] = `{"production": ` + file + `, "development": ` + g.servers() + `}`
	case 2:
		files["production/servers.json"] = g.servers()
	case 3:
		files["servers.json"] = `{"production": ` + g.pick("null", "0", `""`, "false", "{}", file) + g.pick("}", `, "x": 1}`, `, "x": []}`)
	case 4:
		if g.IntN(8) == 0 {
			files["servers.json"] = file[:g.IntN(len(file))]
		}
	}
	if g.IntN(4) == 0 {
		files["master.json"] = g.pick(`{"id": "m", "host": "h", "port": 1}`, `{"production": {}}`, "-", "null", "[", "\ufeff"+seedMaster)
	}
	return seed(files)
}

func (g corpus) servers() string {
	var types []string
	for _, name := range []string{"gate", "connector", "chat", "room++", "10", "9", "gate"}[:1+g.IntN(7)] {
		entries := make([]string, g.IntN(5))
		for i := range entries {
			entries[i] = g.entry()
		}
		list := "[" + strings.Join(entries, ",\n") + "]"
		if g.IntN(60) == 0 {
			list = g.pick("null", "5", "{}", "[null]")
		}
		types = append(types, fmt.Sprintf("%q: %s", name, list))
	}
	return "{" + strings.Join(types, ",\n") + "}"
}

func (g corpus) entry() string {
	fields := []string{`"host": ` + g.pick(`"10.9.0.1"`, `"10.9.0.2"`, `"127.0.0.1"`, `"h++"`, `"10.9.0.1++"`)}
	add := func(one int, key, v string) {
		if g.IntN(one) > 0 {
			fields = append(fields, fmt.Sprintf("%q: %s", key, v))
		}
	}
	add(6, "id", g.pick(`"p"`, `"q"`, `"s-1"`, `7`, `"7++"`, `"cluster-server-gate-1"`, `"x++"`))
	add(8, "port", g.port())
	add(3, "clientPort", g.port())
	add(3, "frontend", g.pick("true", `"true"`, "false", `"++"`, "1"))
	add(2, "cpu", g.pick(`"0++"`, "1", "1e21", "1e-7", "0.1"))
	if g.IntN(25) == 0 {
		add(9, "odd", g.pick("null", `{"toString": 1}`, `[null, {"toString": 1}]`))
	}
	if g.IntN(5) == 0 {
		add(9, "other", g.pick("[]", "{}", `["5", "a", "6++"]`, `[[1], null, "++"]`, `["++"]`, `[1, "2++"]`, `{"a++": "++"}`, "true", "-0", "1e999", `"\u00e9\ud83d\ude00++"`))
	}
	if g.IntN(3) > 0 {
		fields = append(fields, `"clusterCount": `+g.pick("1", "2", "8", `"3"`, `"0"`, "0", "-1", "-3", `"x"`, `"1.9"`, "2.9", "1e1",
			`"2++"`, `" 2"`, `"0x3"`, `"+2"`, "null", "true", "false", `""`, "[2]", "{}", "[]", `"2e3"`, "3e21", "4e-7", `"\ufeff2"`, `"\u00852"`))
	}
	g.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	return "{" + strings.Join(fields, ", ") + "}"
}

func (g corpus) port() string {
	return g.pick("6200", `"6200++"`, `"6150++"`, `"6200"`, `"++"`, `"ab++"`, `"6++1"`, `"65535++"`, `"++6++"`, `" 7++"`, `" ++7"`, `"-1++"`, `"+5++"`,
		`"0x10++"`, `"0x++"`, `"1e3++"`, `"1.9++"`, `"12345678901234567890123++"`, `"6+++"`, `"6++++"`, `"\u00a08++"`, `"\u00858++"`, `""`, `"-++"`, `"6 ++"`)
}
