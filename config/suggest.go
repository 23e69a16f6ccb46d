package config

import "strings"

// nearest is the known word that was probably meant, or "".
func nearest(word string, known []string) string {
	best, found := 1+max(1, min(2, len(word)/3)), ""
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < best {
			best, found = d, k
		}
	}
	return found
}

// distance counts the letters to insert, drop, change or swap with a neighbour
// to make b of a.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	// Words this unlike are never suggested, and an absurdly long key must not
	// cost its length squared.
	if d := len(x) - len(y); d > 3 || d < -3 {
		return max(d, -d)
	}
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			change := 1
			if x[i-1] == y[j-1] {
				change = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(x)][len(y)]
}
