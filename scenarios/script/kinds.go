package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/apcsmart"
	"github.com/blackstart-ups/blackstart/devsim/bridge"
	"github.com/blackstart-ups/blackstart/devsim/contact"
	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// bodyKeys are the words of a ups that say what is behind every face.
var bodyKeys = []string{"feed", "kind", "runtime", "low", "recharge", "load", "kill", "restart",
	"minoff", "deepsleep"}

// A kind is a protocol that a ups can speak.
type kind struct {
	name string
	keys []string // words that only this kind knows
	make func(m map[string]string) (func(*power.UPS) site.Face, error)
}

// kinds are in the order of the manual; the first one is meant when none is said.
func kinds() []kind {
	return []kind{
		{"megatec", []string{"dialect", "reject", "stubborn", "nocancel", "norestart", "bare", "hasty",
			"early", "bridge", "serial"}, megatecFace},
		{"apcsmart", []string{"model", "star", "rude"}, apcFace},
		{"contact", []string{"type", "hold", "delay", "latch"}, contactFace},
	}
}

// faceKeys are the words that some kinds know.
func faceKeys() []string {
	var keys []string
	for _, k := range kinds() {
		keys = append(keys, k.keys...)
	}
	return keys
}

// makeFace finds the kind and gives it its words.
func makeFace(m map[string]string) (func(*power.UPS) site.Face, error) {
	var names []string
	for i, k := range kinds() {
		names = append(names, k.name)
		if k.name != m["kind"] && (i > 0 || m["kind"] != "") {
			continue
		}
		for _, key := range faceKeys() {
			if _, ok := m[key]; ok && !slices.Contains(k.keys, key) {
				return nil, fmt.Errorf("%s=%s: a ups of kind %s has no such word", key, m[key], k.name)
			}
		}
		return k.make(m)
	}
	return nil, fmt.Errorf("kind=%s: want one of %s", m["kind"], strings.Join(names, " "))
}

// makeBridge makes what stands between a face and a USB plug; nil when there is none.
func makeBridge(m map[string]string) (func(serve.Face) (gadget.Gadget, error), error) {
	name, ok := m["bridge"]
	switch {
	case !ok && m["serial"] != "":
		return nil, fmt.Errorf("serial=%s: only a ups with a bridge has a serial number", m["serial"])
	case !ok:
		return nil, nil
	case !slices.Contains(bridge.Kinds(), name):
		return nil, fmt.Errorf("bridge=%s: want one of %s", name, strings.Join(bridge.Kinds(), " "))
	}
	return func(f serve.Face) (gadget.Gadget, error) {
		return bridge.New(name, f, bridge.Options{Serial: m["serial"]})
	}, nil
}

// rejections are the words for what a unit does with a command that it does not know, in the order
// of megatec.Rejection.
var rejections = []string{"echo", "nak", "nakopen", "ignore"}

func megatecFace(m map[string]string) (func(*power.UPS) site.Face, error) {
	opt := megatec.Options{Dialect: m["dialect"], Reactions: megatec.Reactions{
		Stubborn: m["stubborn"] == "yes", NoCancel: m["nocancel"] == "yes",
		NoRestart: m["norestart"] == "yes", Hasty: m["hasty"] == "yes", Early: m["early"] == "yes"}}
	if names := megatec.Dialects(); opt.Dialect != "" && !slices.Contains(names, opt.Dialect) {
		return nil, fmt.Errorf("dialect=%s: want one of %s", opt.Dialect, strings.Join(names, " "))
	}
	if v := m["reject"]; v != "" {
		at := slices.Index(rejections, v)
		if at < 0 {
			return nil, fmt.Errorf("reject=%s: want one of %s", v, strings.Join(rejections, " "))
		}
		opt.Reject = megatec.Rejection(at)
	}
	if v := m["bare"]; v != "" {
		var err error
		if opt.Bare, err = megatec.ParseBare(v); err != nil {
			return nil, err
		}
	}
	return func(body *power.UPS) site.Face { return megatec.New(body, opt) }, nil
}

func apcFace(m map[string]string) (func(*power.UPS) site.Face, error) {
	opt := apcsmart.Options{Model: m["model"], Star: m["star"] == "yes", Rude: m["rude"] == "yes"}
	if opt.Model != "" && !slices.Contains(apcsmart.Models(), opt.Model) {
		return nil, fmt.Errorf("model=%s: want one of %s", opt.Model, strings.Join(apcsmart.Models(), " "))
	}
	return func(body *power.UPS) site.Face { return apcsmart.New(body, opt) }, nil
}

func contactFace(m map[string]string) (func(*power.UPS) site.Face, error) {
	opt := contact.Options{Latch: m["latch"] == "yes"}
	var err error
	if opt.Type, err = strconv.Atoi(m["type"]); err != nil {
		return nil, fmt.Errorf("type=%s: want the number of a cable, 0 to %d", m["type"],
			contact.Types()-1)
	}
	err = durations(m, map[string]*time.Duration{"hold": &opt.Hold, "delay": &opt.Delay})
	if err != nil {
		return nil, err
	}
	if _, err := contact.New(power.New(power.Spec{}), opt); err != nil {
		return nil, err
	}
	return func(body *power.UPS) site.Face {
		d, err := contact.New(body, opt)
		if err != nil {
			panic(err) // tried above
		}
		return d
	}, nil
}
