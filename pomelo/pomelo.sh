# Run in the application's directory. Above this line stand the settings: port
# within, or env id. Below it stands which of the two it is to be.
PATH=$PATH:/usr/local/bin:/usr/bin:/bin
export PATH

missing() { printf '%s\n' "$1" >&2; exit 127; }

[ -f app.js ] || missing "there is no app.js in $(pwd): pomelo.dir must name the game-server directory"
node=$(command -v node) || node=$(command -v nodejs) ||
	missing "there is no node in the PATH of a command over ssh ($PATH): link it to /usr/local/bin/node"
pomelo=
for up in . .. ../.. ../../..; do
	[ -n "$pomelo" ] || [ ! -f "$up/node_modules/pomelo/bin/pomelo" ] || pomelo=$up/node_modules/pomelo/bin/pomelo
done
[ -n "$pomelo" ] || missing "there is no node_modules/pomelo in $(pwd): run npm install there"

# stop ends what the master knows of. Its exit code says nothing: 0 is also what
# comes of no master, and of a user who may not. The login goes from the
# environment into the arguments inside of node: in an argument of a process every
# user of the machine could read it. The timer is for a master that hangs.
stop() {
	asks stop
	[ $? = 0 ] || echo 'pomelo stop failed; what is left is ended by pid' >&2
	exit 0
}

list() { asks list; }

asks() {
	"$node" -e '
var env = process.env, a = process.argv;
var bin = a.filter(function (s) { return /bin\/pomelo$/.test(s); })[0], rest = a.slice(a.indexOf(bin) + 1);
var args = [a[0], bin, rest[2], "-P", rest[0]];
if (env.POMELO_ADMIN_USER) args.push("-u", env.POMELO_ADMIN_USER);
if (env.POMELO_ADMIN_PASSWORD) args.push("-p", env.POMELO_ADMIN_PASSWORD);
delete env.POMELO_ADMIN_PASSWORD;
process.argv = args;
setTimeout(function () {
	console.error("the master has not answered within " + rest[1] + " ms");
	process.exit(0);
}, +rest[1]);
require(bin);
' "$(pwd -P)/$pomelo" "$port" "$within" "$1" </dev/null
}

# start begins all, or the one of an id, and returns at once. With -D what it
# begins is in a session of its own with all output to /dev/null, so the end of
# this ssh session does not reach it. It must not inherit the login either.
start() {
	unset POMELO_ADMIN_USER POMELO_ADMIN_PASSWORD ROLLOUT_PROCESS
	if [ -n "$id" ]; then
		set -- -i "$id"
	fi
	"$node" "$pomelo" start "--env=$env" -D "$@" </dev/null
	[ $? = 0 ] || echo 'pomelo start failed; what runs is looked at' >&2
	exit 0
}
