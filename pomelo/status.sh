now
scan show
printf 'end\t%s\n' "$count"
[ "$count" != 0 ]
