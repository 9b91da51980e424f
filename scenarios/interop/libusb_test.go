package interop

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// builtLibusb is a folder with a libusb-1.0 of our own, whose devices are the emulated ones at the
// sockets that DEVSIM names. Programs that look into it first (LD_LIBRARY_PATH) take it for the
// real one.
var builtLibusb = sync.OnceValues(func() (string, error) {
	sources, err := filepath.Glob("testdata/libusb/*.c")
	if err != nil {
		return "", err
	}
	dir := filepath.Join(binDir, "libusb")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	args := append([]string{"-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread",
		"-I/usr/include/libusb-1.0", "-Wl,-soname,libusb-1.0.so.0",
		"-o", dir + "/libusb-1.0.so.0"}, sources...)
	if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		return string(out), err
	}
	return dir, os.Symlink("libusb-1.0.so.0", dir+"/libusb-1.0.so")
})

// libusb returns that folder, or skips.
func libusb(t *testing.T) string {
	t.Helper()
	dir, err := builtLibusb()
	if err != nil {
		missing(t, "gcc with libusb.h: %v %s", err, dir)
	}
	return dir
}

// A driver that called what our libusb does not have would end in the middle of a test.
func TestLibusbHasWhatDebiansDriversCall(t *testing.T) {
	kits(t)
	f, err := elf.Open(libusb(t) + "/libusb-1.0.so.0")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	drivers, err := filepath.Glob("/lib/nut/*")
	if err != nil {
		t.Fatal(err)
	}
	users := 0
	for _, d := range drivers {
		prog, err := elf.Open(d)
		if err != nil {
			continue // a script
		}
		libraries, _ := prog.ImportedLibraries()
		called, _ := prog.ImportedSymbols()
		prog.Close()
		if !slices.Contains(libraries, "libusb-1.0.so.0") {
			continue
		}
		users++
		for _, c := range called {
			has := slices.ContainsFunc(symbols, func(s elf.Symbol) bool {
				return s.Name == c.Name && s.Section != elf.SHN_UNDEF
			})
			if strings.HasPrefix(c.Name, "libusb_") && !has {
				t.Errorf("%s calls %s", d, c.Name)
			}
		}
	}
	if users == 0 {
		t.Error("no driver of Debian's uses libusb")
	}
	t.Logf("%d drivers use libusb", users)
}
