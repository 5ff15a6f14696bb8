package compare

import (
	"fmt"
	"slices"
	"strings"
)

// Keys lists the keys of the benchmarks' names that have several values, each with its values:
// "impl (batched, bound)". These are what Within can compare by.
func (set *Set) Keys() []string {
	const enough = 8 // values
	var keys []string
	values := map[string][]string{}
	for _, s := range set.series {
		for _, kv := range s.bench.Keys {
			if kv.Key == "" || slices.Contains(values[kv.Key], kv.Value) {
				continue
			}
			if values[kv.Key] = append(values[kv.Key], kv.Value); len(values[kv.Key]) == 1 {
				keys = append(keys, kv.Key)
			}
		}
	}
	var list []string
	for _, key := range keys {
		v := values[key]
		if len(v) < 2 {
			continue
		}
		if len(v) > enough {
			v = append(v[:enough], "...")
		}
		list = append(list, fmt.Sprintf("%s (%s)", key, strings.Join(v, ", ")))
	}
	return list
}
