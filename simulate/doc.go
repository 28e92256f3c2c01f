// Package simulate has services in virtual time, to run a controller on.
package simulate
