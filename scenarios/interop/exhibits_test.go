package interop

import (
	"os"
	"path/filepath"
	"strings"
)

// exhibits are the clients of the museum.
var exhibits = []exhibit{
	{name: "upsc", does: "lists, variables, clients", made: debianPackage("nut-client"), visit: visitUpsc},
	{name: "upscmd", does: "list, command with tracking, refusals", made: debianPackage("nut-client"),
		visit: visitUpscmd},
	{name: "upsrw", does: "list, settings with tracking, refusals", made: debianPackage("nut-client"),
		visit: visitUpsrw},
	{name: "upslog", does: "a log of both UPSes", made: debianPackage("nut-client"), visit: visitUpslog},
	{name: "upsmon", does: "login, on battery and back", made: debianPackage("nut-client"), visit: visitUpsmon},
	{name: "upsstats.cgi", does: "pages of one and of all", made: unpacked("nut-cgi"), visit: visitUpsstats},
	{name: "libnutclient", does: "lists, bulk, LOGIN, PRIMARY, tracked set and command", made: libnutclient,
		visit: visitLibnutclient, own: []limit{{"reads \\# as DEL", []string{
			`var rack device.model is "Quo\"te \\ back \x7f hash", want "Quo\"te \\ back # hash"`,
			`var rack ups.model is "Quo\"te \\ back \x7f hash", want "Quo\"te \\ back # hash"`,
		}}}},
	{name: "PyNUT", does: "lists, set, command", made: unpacked("python3-nut"), visit: visitPyNUT, own: []limit{{"raises on a description with quotes", []string{
		`error list: ValueError: too many values to unpack (expected 2)`, "ups desk is missing", "ups gone is missing", "ups rack is missing",
	}}, {"cuts values at a quote", []string{
		`var rack device.model is "Quo\\", want "Quo\"te \\ back # hash"`,
		`var rack ups.model is "Quo\\", want "Quo\"te \\ back # hash"`,
	}}, {"sends LIST CLIENTS, which is none", []string{
		"error clients: ERR INVALID-ARGUMENT", "plain: error clients: ERR INVALID-ARGUMENT",
	}}}},
	{name: "UPS::Nut", does: "lists, types, set, command, MASTER, LOGIN", made: unpacked("libups-nut-perl"),
		visit: visitPerl, own: []limit{{"shows escapes as they are", []string{
			`ups rack is "The \\\"big\\\" one \\\\ cellar", want "The \"big\" one \\ cellar"`,
			`var rack device.model is "Quo\\\"te \\\\ back \\# hash", want "Quo\"te \\ back # hash"`,
			`var rack ups.model is "Quo\\\"te \\\\ back \\# hash", want "Quo\"te \\ back # hash"`,
		}}, {"does not understand CMDDESC", []string{"CMDDESC is not understood"}}}},
	{name: "check_ups", does: "alarm by state", made: unpacked("monitoring-plugins-basic"), visit: visitCheckUps},
	{name: "collectd", does: "series of both UPSes", made: unpacked("collectd-core"), visit: visitCollectd},
	{name: "munin nutups_", does: "four graphs of both UPSes", made: unpacked("munin-plugins-extra"),
		visit: visitMunin},
	{name: "node-nut", does: "lists, types, set, command, MASTER", made: nodeNut, visit: visitNodeNut, own: []limit{{"shows escapes as they are", []string{
		`ups rack is "The \\\"big\\\" one \\\\ cellar", want "The \"big\" one \\ cellar"`,
		`var rack device.model is "Quo\\\"te \\\\ back \\# hash", want "Quo\"te \\ back # hash"`,
		`var rack ups.model is "Quo\\\"te \\\\ back \\# hash", want "Quo\"te \\ back # hash"`,
	}}}},
	{name: "go.nut 2022", does: "lists, types, set, command, MASTER", visit: visitGoNut("gonut2022", oldGoNut),
		made: goClient("gonut2022", "github.com/robbiet480/go.nut"), own: []limit{{"hangs when a list is refused", []string{"it never ends"}}}},
	{name: "go.nut 2024", does: "lists, types, set, command, MASTER", visit: visitGoNut("gonut2024", (*visit).both),
		made: goClient("gonut2024", "github.com/robbiet480/go.nut"), own: []limit{{"waits 2 s when a list is refused", []string{"the refusal of a list is not understood", "ups gone is missing"}}, {"drops quotes, cuts values there", []string{
			`ups rack is "The \\big\\ one \\\\ cellar", want "The \"big\" one \\ cellar"`,
			`var rack device.model is "Quo\\", want "Quo\"te \\ back # hash"`,
			`var rack ups.model is "Quo\\", want "Quo\"te \\ back # hash"`,
		}}}},
	{name: "telegraf upsd", does: "fields and tags of both UPSes", visit: visitTelegraf,
		made: goClient("telegraf", "github.com/influxdata/telegraf"), own: []limit{{"hangs when a list is refused", []string{"it never ends"}}}},
	{name: "netdata upsd", does: "metrics and charts of both UPSes", visit: visitNetdata,
		made: goClient("netdata", "github.com/netdata/go.d.plugin"), own: []limit{{"collects nothing when a UPS is out of reach", []string{"it collects nothing"}}}},
}

// debianPackage is a client that an installed package has.
func debianPackage(name string) func(m *museum) (string, error) {
	return func(m *museum) (string, error) { return m.run("dpkg-query", "-W", "-f", "${Version}", name) }
}

// unpacked is a client that runs from an unpacked package.
func unpacked(packages ...string) func(m *museum) (string, error) {
	return func(m *museum) (string, error) {
		_, version, err := m.apt(packages...)
		return version, err
	}
}

// file is a file of an unpacked package.
func (m *museum) file(pkg, name string) string { return filepath.Join(m.dir, "apt-"+pkg, name) }

func goClient(name, module string) func(m *museum) (string, error) {
	return func(m *museum) (string, error) { return m.goBuild(name, module) }
}

func libnutclient(m *museum) (string, error) {
	dir, version, err := m.apt("libnutclient-dev", "libnutclient2")
	if err != nil {
		return "", err
	}
	libs, err := filepath.Glob(dir + "/*/*/libnutclient.so.2")
	if err != nil || len(libs) != 1 {
		libs, err = filepath.Glob(dir + "/usr/lib/*/libnutclient.so.2")
	}
	if err != nil {
		return "", err
	}
	args := append([]string{"-O1", "-I" + dir + "/usr/include", "-o", m.dir + "/libnutclient",
		m.sources + "/libnutclient/main.cpp"}, libs...)
	for _, lib := range libs {
		args = append(args, "-Wl,-rpath,"+filepath.Dir(lib))
	}
	_, err = m.run("g++", args...)
	return version, err
}

func nodeNut(m *museum) (string, error) {
	dir := m.dir + "/node-nut"
	if err := os.CopyFS(dir, os.DirFS(m.sources+"/node-nut")); err != nil {
		return "", err
	}
	if _, err := m.runIn(dir, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
		return "", err
	}
	version, err := m.run("node", "-p", "require('"+dir+"/node_modules/node-nut/package.json').version")
	return strings.TrimSpace(version), err
}
