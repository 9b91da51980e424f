// Package root is the process that a program leaves behind to keep its rights (see env.Split).
//
// It is meant to be read in one go by whoever wants to know what runs as root for as long as the
// machine is up. It reads no configuration and no network: all that it does was decided by the
// program in whose place it came, and is in its environment (see [Job]). It holds two pipes to its
// child: on the one it reads a byte, the only one it knows, on the other it tells what it does.
package root
