package sensors

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// A container's limits are those of its control group, of version 1 or 2 of
// that interface; what /proc says of memory and processors is the host's. Files
// are found as the kernel's documentation has it (cgroups(7), proc(5)):
// /proc/self/cgroup names the group within each hierarchy, and
// /proc/self/mountinfo says where the hierarchy is mounted, and from which
// group on. Inside a container the two may not fit, since the group is named
// from the host's root; then the mount itself is the group.
//
// A limit set on a parent binds its children, so the least of all levels counts.

// errNoLimit says that nothing limits the memory of the group.
var errNoLimit = errors.New("no limit is set")

// cgroupDirs are the directories of the group that has a controller, from the
// group itself up to the mount.
type cgroupDirs struct {
	root fs.FS
	v2   bool
	dirs []string
}

// findCgroup finds the process's group for a controller, "memory" or "cpu". A
// controller is in one hierarchy at a time: that of version 1 if it is there.
func findCgroup(root fs.FS, controller string) (cgroupDirs, error) {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return cgroupDirs{}, fmt.Errorf("read control groups: %w", err)
	}
	mounts, err := fs.ReadFile(root, "proc/self/mountinfo")
	if err != nil {
		return cgroupDirs{}, fmt.Errorf("read mounts: %w", err)
	}
	for _, v2 := range []bool{false, true} {
		group, ok := groupOf(groups, controller, v2)
		if !ok {
			continue
		}
		from, mount, ok := mountOf(mounts, controller, v2)
		if !ok {
			continue
		}
		c := cgroupDirs{root: root, v2: v2}
		top := path.Join(".", path.Clean("/" + mount)[1:]) // "." for the root: the walk up must meet it
		for dir := path.Join(top, within(group, from)); ; dir = path.Dir(dir) {
			c.dirs = append(c.dirs, dir)
			if dir == top || dir == "." {
				break
			}
		}
		if _, err := fs.Stat(root, c.dirs[0]); err != nil {
			c.dirs = []string{top}
		}
		return c, nil
	}
	return cgroupDirs{}, fmt.Errorf("no control group for %s", controller)
}

// groupOf returns the path of the group in its hierarchy, from lines such as
// "4:cpu,cpuacct:/a/b" (version 1) and "0::/a/b" (version 2).
func groupOf(lines []byte, controller string, v2 bool) (string, bool) {
	for line := range strings.Lines(string(lines)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) != 3 {
			continue
		}
		if v2 && f[0] == "0" && f[1] == "" || !v2 && contains(f[1], controller) {
			return f[2], true
		}
	}
	return "", false
}

// mountOf returns the group that is mounted and where, from lines such as
// "35 31 0:32 /from /where rw,relatime shared:1 - cgroup cgroup rw,memory".
func mountOf(lines []byte, controller string, v2 bool) (from, mount string, ok bool) {
	for line := range strings.Lines(string(lines)) {
		before, after, found := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !found || len(f) < 5 || len(g) < 3 {
			continue
		}
		if v2 && g[0] == "cgroup2" || !v2 && g[0] == "cgroup" && contains(g[2], controller) {
			return unescape(f[3]), unescape(f[4]), true
		}
	}
	return "", "", false
}

func contains(list, name string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if item == name {
			return true
		}
	}
	return false
}

// unescape undoes mountinfo's octal escapes of blanks and backslashes.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// within returns the group's path below the mounted one, and "" when it is not below.
func within(group, from string) string {
	if from == "/" {
		return path.Clean("/" + group)
	}
	rest, ok := strings.CutPrefix(group, from)
	if !ok || rest != "" && rest[0] != '/' {
		return ""
	}
	return path.Clean("/" + rest)
}

// memoryLimit returns the memory limit in bytes. Version 1 has a number beyond
// any memory where there is no limit, so a limit counts only below most.
func (c cgroupDirs) memoryLimit(most uint64) (uint64, error) {
	name := "memory.limit_in_bytes"
	if c.v2 {
		name = "memory.max"
	}
	limit := most
	for _, dir := range c.dirs {
		text, err := fs.ReadFile(c.root, path.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the root group has none
		}
		if err != nil {
			return 0, fmt.Errorf("read memory limit: %w", err)
		}
		word := string(bytes.TrimSpace(text))
		if word == "max" {
			continue
		}
		v, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("memory limit %q: must be a number of bytes or max", word)
		}
		limit = min(limit, v)
	}
	if limit == most {
		return 0, errNoLimit
	}
	return limit, nil
}

// periods returns how many CPU periods the group has had, and in how many it
// was throttled, at the lowest level that has a quota. Both are zero where none
// has.
func (c cgroupDirs) periods() (all, throttled float64, err error) {
	for i, dir := range c.dirs {
		a, t, levelErr := c.periodsOf(dir)
		if i == 0 {
			err = levelErr
		}
		if levelErr == nil && a > 0 {
			return a, t, nil
		}
	}
	return 0, 0, err
}

// periodsOf reads one level's cpu.stat: lines of a name and a number.
func (c cgroupDirs) periodsOf(dir string) (all, throttled float64, err error) {
	text, err := fs.ReadFile(c.root, path.Join(dir, "cpu.stat"))
	if err != nil {
		return 0, 0, fmt.Errorf("read CPU periods: %w", err)
	}
	found := 0
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		var into *float64
		switch name {
		case "nr_periods":
			into = &all
		case "nr_throttled":
			into = &throttled
		default:
			continue
		}
		v, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("cpu.stat: %s %q: must be a number", name, value)
		}
		*into = float64(v)
		found++
	}
	if found < 2 {
		return 0, 0, errors.New("cpu.stat has no periods: the group has no CPU control")
	}
	return all, throttled, nil
}

// memoryUsed is what the group uses, in bytes.
func (c cgroupDirs) memoryUsed() (float64, error) {
	name := "memory.usage_in_bytes"
	if c.v2 {
		name = "memory.current"
	}
	return c.number(c.dirs[0], name)
}

// cpuLimit is the least quota of all levels, in processors.
func (c cgroupDirs) cpuLimit() (float64, error) {
	least := math.Inf(1)
	for _, dir := range c.dirs {
		quota, period, err := c.quotaOf(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the root group has none
		}
		if err != nil {
			return 0, err
		}
		if quota > 0 && period > 0 {
			least = min(least, quota/period)
		}
	}
	if math.IsInf(least, 1) {
		return 0, errNoLimit
	}
	return least, nil
}

// quotaOf is a level's quota and period in microseconds; without a quota it is 0.
func (c cgroupDirs) quotaOf(dir string) (quota, period float64, err error) {
	if !c.v2 {
		if quota, err = c.number(dir, "cpu.cfs_quota_us"); err != nil {
			return 0, 0, err
		}
		period, err = c.number(dir, "cpu.cfs_period_us")
		return max(quota, 0), period, err // -1: none
	}
	text, err := fs.ReadFile(c.root, path.Join(dir, "cpu.max"))
	if err != nil {
		return 0, 0, fmt.Errorf("read CPU limit: %w", err)
	}
	f := strings.Fields(string(text))
	if len(f) == 2 && f[0] == "max" {
		return 0, 0, nil
	}
	if len(f) == 2 {
		var errQuota, errPeriod error
		quota, errQuota = strconv.ParseFloat(f[0], 64)
		period, errPeriod = strconv.ParseFloat(f[1], 64)
		if errQuota == nil && errPeriod == nil {
			return quota, period, nil
		}
	}
	return 0, 0, fmt.Errorf("cpu.max %q: must be a quota or max, and a period", strings.TrimSpace(string(text)))
}

// number reads a file that has one.
func (c cgroupDirs) number(dir, name string) (float64, error) {
	text, err := fs.ReadFile(c.root, path.Join(dir, name))
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	word := string(bytes.TrimSpace(text))
	v, err := strconv.ParseFloat(word, 64)
	if err != nil {
		return 0, fmt.Errorf("%s %q: must be a number", name, word)
	}
	return v, nil
}
