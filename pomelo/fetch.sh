# Above this line stand the settings: dir env.
LC_ALL=C
PATH=$PATH:/usr/bin:/bin
export LC_ALL PATH
CDPATH= cd -- "$dir" || { echo "pomelo.dir must name the game-server directory, the one with app.js and config" >&2; exit 1; }
n=0
for x in servers.json master.json adminUser.json adminServer.json; do
	for f in "config/$x" "config/$env/$x"; do
		[ -e "$f" ] || continue
		[ -f "$f" ] && [ -r "$f" ] || { printf '%s cannot be read: log in as the user that Pomelo runs as\n' "$f" >&2; exit 1; }
		size=$(($(wc -c <"$f")))
		[ "$size" -le 1048576 ] || { printf '%s has %s bytes: that is no configuration\n' "$f" "$size" >&2; exit 1; }
		printf 'file %s %s\n' "$size" "$f"
		cat -- "$f"
		printf '\n'
		n=$((n + 1))
	done
done
printf 'end %s\n' "$n"
