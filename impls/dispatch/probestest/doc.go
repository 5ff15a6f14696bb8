// Package probestest has probes that note their calls, for the kits of what registers
// probes.
package probestest
