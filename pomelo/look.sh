# Above this line stand the settings: dir root rest env, and peers: host and port
# in pairs. It changes nothing on the machine.
LC_ALL=C
PATH=$PATH:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
GIT_OPTIONAL_LOCKS=0
export LC_ALL PATH GIT_OPTIONAL_LOCKS

lines=0
# say prints one fact: words, a tab between each two.
say() {
	text=
	for w; do text="$text	$w"; done
	text=$(printf '%s' "${text#?}" | tr '\n\r' '  ')
	printf '%s\n' "$text"
	lines=$((lines + 1))
}

sum() { set -- "$(sha256sum 2>/dev/null)"; printf '%s' "${1%% *}"; }

# file tells of the one that Pomelo reads: config/NAME, else config/ENV/NAME.
file() {
	for f in "config/$1" "config/$env/$1"; do
		[ -e "$f" ] || continue
		if [ -r "$f" ]; then say file "$1" "$f" "$(sum <"$f")"; else say unreadable "$f"; fi
		return
	done
}

# hash is one of all the files that find was asked for.
hash() { "$@" -exec sha256sum {} + 2>/dev/null | sort | sum; }

code() {
	realroot=
	[ -z "$root" ] || realroot=$(CDPATH= cd -- "$root" 2>/dev/null && pwd -P)
	case $realroot:$base in
	:*) ;;
	*:"$realroot"/releases/*)
		t=${base#"$realroot"/releases/}
		say code release "${t%%/*}"
		return
		;;
	esac
	if head=$(git rev-parse HEAD 2>/dev/null) && git ls-files --error-unmatch app.js >/dev/null 2>&1; then
		# What each group or machine has of its own is no other code.
		changed=$(git diff HEAD -- . ':(exclude)config' ':(exclude)logs' 2>/dev/null)
		[ -z "$changed" ] || changed="-dirty-$(printf '%s' "$changed" | sum)"
		say code git "$head$changed"
		return
	fi
	say code tree "$(hash find . \( -name node_modules -o -name logs -o -name .git -o -path ./config \) -prune -o \
		-type f ! -name '*.log' \( -name '*.js' -o -name '*.cjs' -o -name '*.mjs' -o -name '*.json' -o -name '*.node' -o -name '*.wasm' \
		-o -name '*.ts' -o -name '*.coffee' -o -name '*.lua' -o -name '*.proto' \) ! -name package-lock.json)"
}

# startups is when sshd begins to refuse connections. The listener this very
# connection came through shows it in its title; sshd -T would need root, and the
# right file.
startups() {
	p=$$
	for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
		title=$(tr '\000\n' '  ' 2>/dev/null <"/proc/$p/cmdline")
		case $title in
		sshd:*"[listener]"*" of "*-*" startups"*)
			t=${title#*"[listener]"}
			t=${t#*" of "}
			t=${t%%" startups"*}
			case ${t%%-*}:${t#*-} in
			*[!0-9:]* | :* | *:) ;;
			*) say startups "${t%%-*}" "${t#*-}"; return ;;
			esac
			;;
		esac
		parent=
		while read -r k v; do [ "$k" != PPid: ] || parent=$v; done 2>/dev/null <"/proc/$p/status"
		p=${parent:-0}
		[ "$p" -gt 0 ] || break
	done
	for how in '' 'sudo -n'; do
		t=$($how sshd -T 2>/dev/null </dev/null | tr 'A-Z' 'a-z' | grep '^maxstartups ')
		t=${t#* }
		case $t in
		*:*:*) say startups "${t%%:*}" "${t##*:}"; return ;;
		esac
	done
}

free() {
	df -Pk -- "$2" 2>/dev/null | {
		read -r _
		read -r _ _ _ k _
		case $k in '' | *[!0-9]*) exit 1 ;; esac
		printf '%s' "$k"
	}
}

node=$(command -v node) || node=$(command -v nodejs) || node=
if CDPATH= cd -- "$dir" 2>/dev/null; then
	base=$(pwd -P)
	say base "$base"
	for f in servers.json master.json adminUser.json adminServer.json log4js.json; do file "$f"; done
	if [ -d config ]; then
		say rest "$(hash find config -type f ! -name '*.log' ! -name servers.json ! -name master.json ! -name adminUser.json ! -name adminServer.json ! -name log4js.json)"
	fi
	[ ! -f app.js ] || code
	for f in package-lock.json npm-shrinkwrap.json yarn.lock node_modules/.package-lock.json; do
		[ ! -r "$f" ] || say lock "$f" "$(sum <"$f")"
	done
	for f in . logs; do
		[ ! -d "$f" ] || ! k=$(free of "$f") || say free "$f" "$k"
	done
fi
startups
say files "$(ulimit -n)"
if [ -n "$node" ]; then
	# In the ES of old nodes. Each ssh is begun as the app begins its own.
	told=$("$node" -e '
var fs = require("fs"), spawn = require("child_process").spawn, peers = process.argv.slice(1), left = 0, out = [];
function say() {
	out.push([].map.call(arguments, function (w) { return String(w).replace(/[\t\r\n]/g, " "); }).join("\t"));
}
say("node", process.execPath, process.version);
say("clock", Date.now());
try { say("pomelo", JSON.parse(fs.readFileSync(require.resolve("pomelo/package.json"))).version); } catch (e) {}
var params = null;
try {
	var text = fs.readFileSync("app.js", "utf8").replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/mg, "");
	var list = /ssh_config_params["\x27]\s*,\s*\[([^\]]*)\]/.exec(text);
	if (list) params = (list[1].match(/"[^"]*"|\x27[^\x27]*\x27/g) || []).map(function (s) { return s.slice(1, -1); });
} catch (e) {}
if (params) say.apply(null, ["params"].concat(params));
function end() { if (left-- === 0) console.log(out.join("\n")); }
function one(host, port) {
	var how = params || (port === "0" ? [] : ["-p", port]), said = "", done = false, timer;
	var p = spawn("ssh", ["-o", "BatchMode=yes", "-o", "ConnectTimeout=5", host].concat(how, ["true"]), {stdio: ["ignore", "ignore", "pipe"]});
	function told(code) {
		if (done) return;
		done = true;
		clearTimeout(timer);
		var lines = said.split("\n").filter(function (s) { return s.trim(); });
		say("peer", host, code, lines.length ? lines[lines.length - 1].trim().slice(0, 200) : "");
		p.stderr && p.stderr.destroy();
		end();
	}
	timer = setTimeout(function () { said += "\nno answer within 15 seconds"; p.kill("SIGKILL"); told(-1); }, 15000);
	if (p.stderr) p.stderr.on("data", function (b) { said += b; });
	p.on("error", function (e) { said += "\n" + e.message; told(-1); });
	p.on("close", told);
	p.on("exit", function (code) { setTimeout(function () { told(code); }, 1000).unref(); });
}
for (var i = 0; i + 1 < peers.length; i += 2) { left++; one(peers[i], peers[i + 1]); }
end();
' "$@" </dev/null 2>/dev/null)
	while IFS= read -r t; do
		[ -z "$t" ] || say "$t"
	done <<END
$told
END
fi
printf 'end\t%s\n' "$lines"
