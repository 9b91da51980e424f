package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// exhibits are the clients of the museum.
var exhibits = []exhibit{
	{name: "upsc", does: "lists, variables, clients",
		made: debianPackage("nut-client"), visit: visitUpsc},
	{name: "upscmd", does: "list, command with tracking, refusals",
		made: debianPackage("nut-client"), visit: visitUpscmd},
	{name: "upsrw", does: "list, setting with tracking, refusals",
		made: debianPackage("nut-client"), visit: visitUpsrw},
	{name: "upslog", does: "a log of both UPSes",
		made: debianPackage("nut-client"), visit: visitUpslog},
	{name: "upsmon", does: "login, on battery and back",
		made: debianPackage("nut-client"), visit: visitUpsmon},
	{name: "upsstats.cgi", does: "pages of one and of all",
		made: unpacked("nut-cgi"), visit: visitUpsstats},
	{name: "libnutclient", does: "lists, bulk, LOGIN, PRIMARY, FSD, tracked SET and INSTCMD",
		made: libnutclient, visit: visitLibnutclient,
		own: []limit{{"reads \\# as DEL", models(`"Quo\"te \\ back \x7f hash"`)}}},
	{name: "PyNUT", does: "lists, SET, INSTCMD, FSD",
		made: unpacked("python3-nut"), visit: visitPyNUT,
		own: []limit{
			{"raises on a description with quotes", []string{
				"error list: ValueError: too many values to unpack (expected 2)",
				"ups desk is missing", "ups gone is missing", "ups rack is missing"}},
			{"cuts values at a quote", models(`"Quo\\"`)},
			{"sends LIST CLIENTS, which is none", []string{
				"error clients: ERR INVALID-ARGUMENT", "plain: error clients: ERR INVALID-ARGUMENT"}},
		}},
	{name: "UPS::Nut", does: "lists, types, SET, INSTCMD, MASTER, LOGIN, FSD",
		made: unpacked("libups-nut-perl"), visit: visitPerl,
		own: []limit{escaped, {"does not understand CMDDESC", []string{"CMDDESC is not understood"}}}},
	{name: "check_ups", does: "alarm by state and by limits",
		made: unpacked("monitoring-plugins-basic"), visit: visitCheckUps},
	{name: "collectd", does: "nine series of both UPSes",
		made: unpacked("collectd-core"), visit: visitCollectd},
	{name: "munin nutups_", does: "three graphs of both UPSes",
		made: unpacked("munin-plugins-extra"), visit: visitMunin},
	{name: "node-nut", does: "lists, types, SET, INSTCMD, MASTER, FSD",
		made: nodeNut, visit: visitNodeNut, own: []limit{escaped}},
	{name: "go.nut 2022", does: "lists, types, SET, INSTCMD, MASTER, FSD",
		made:  goClient("gonut2022", "github.com/robbiet480/go.nut"),
		visit: visitGoNut("gonut2022", true), own: []limit{hangs, cuts(nearby)}},
	{name: "go.nut 2024", does: "lists, types, SET, INSTCMD, MASTER, FSD",
		made:  goClient("gonut2024", "github.com/robbiet480/go.nut"),
		visit: visitGoNut("gonut2024", false),
		own: []limit{
			{"waits 2 s when a list is refused", []string{
				"the refusal of a list is not understood", "ups gone is missing"}},
			cuts("", nearby),
		}},
	{name: "telegraf upsd", does: "fields and tags of both UPSes",
		made:  goClient("telegraf", "github.com/influxdata/telegraf"),
		visit: visitTelegraf, own: []limit{hangs, {"cuts values at a quote", []string{
			nearby + `field rack ups_model is Quo\, want Quo"te \ back # hash`}}}},
	{name: "netdata upsd", does: "metrics and charts of both UPSes",
		made:  goClient("netdata", "github.com/netdata/go.d.plugin"),
		visit: visitNetdata,
		own: []limit{
			{"collects nothing when a UPS is out of reach", []string{"it collects nothing"}},
			{"leaves out values with quotes", []string{
				nearby + `label rack device_model is , want Quo"te \ back # hash`}},
		}},
}

// Limits that several clients share.
var (
	hangs   = limit{"hangs when a list is refused", []string{"it never ends"}}
	escaped = limit{"shows escapes as they are", append(models(`"Quo\\\"te \\\\ back \\# hash"`),
		`ups rack is "The \\\"big\\\" one \\\\ cellar", want "The \"big\" one \\ cellar"`)}
)

// nearby is the name of the stand with all UPSes in reach.
const nearby = "all in reach: "

// cuts is the limit of go.nut on some stands.
func cuts(stands ...string) limit {
	l := limit{why: "drops quotes, cuts values there"}
	for _, stand := range stands {
		for _, c := range append(models(`"Quo\\"`),
			`ups rack is "The \\big\\ one \\\\ cellar", want "The \"big\" one \\ cellar"`) {
			l.complaints = append(l.complaints, stand+c)
		}
	}
	return l
}

// models are the complaints when the model of rack, which has all that wants an escape, is read as
// something else.
func models(read string) []string {
	const want = `, want "Quo\"te \\ back # hash"`
	return []string{"var rack device.model is " + read + want, "var rack ups.model is " + read + want}
}

// debianPackage is a client that an installed package has.
func debianPackage(name string) func(m *museum) (string, error) {
	return func(m *museum) (string, error) {
		return m.run("dpkg-query", "-W", "-f", "${Version}", name)
	}
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

// goClient is a program in the museum's folder, which uses a module.
func goClient(name, module string) func(m *museum) (string, error) {
	return func(m *museum) (string, error) { return m.goBuild(name, module) }
}

// libnutclient compiles the program in C++.
func libnutclient(m *museum) (string, error) {
	dir, version, err := m.apt("libnutclient-dev", "libnutclient2")
	if err != nil {
		return "", err
	}
	libs, err := filepath.Glob(dir + "/lib/*/libnutclient.so.2")
	if err != nil || len(libs) != 1 {
		return "", fmt.Errorf("libnutclient2 has %d libraries for this machine: %v", len(libs), err)
	}
	_, err = m.run("g++", "-O1", "-I"+dir+"/usr/include", "-o", m.dir+"/libnutclient",
		m.sources+"/libnutclient/main.cpp", libs[0], "-Wl,-rpath,"+filepath.Dir(libs[0]))
	return version, err
}

// nodeNut has npm install the package, without running what it brings.
func nodeNut(m *museum) (string, error) {
	dir := m.dir + "/node-nut"
	if err := os.CopyFS(dir, os.DirFS(m.sources+"/node-nut")); err != nil {
		return "", err
	}
	if _, err := m.runIn(dir, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
		return "", err
	}
	installed := dir + "/node_modules/node-nut/package.json"
	version, err := m.run("node", "-p", "require('"+installed+"').version")
	return strings.TrimSpace(version), err
}
