package root

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// A Job is all that this process knows. Numbers of open files are those that it finds at its start.
type Job struct {
	Child  int // the process that gives the order
	Orders int // file: read, from the child
	Deeds  int // file: written, to the child
	Keep   int // file: what the program finds when it starts over
	Ready  int // file: gets a byte when this process is at work; 0 for none

	Flag    string
	Text    string
	Command string
	Tries   int
	Pause   time.Duration // real time
	PIDFile string

	Program string // started when the child wants to start over, with this process's arguments
	Typed   string // by this name
	Mark    string // and with this in its environment, KEY=value; empty for nothing
	Log     string // stderr, syslog or none
	Name    string // in the log
}

// OverVar is set when the program is started over; its value is the number of the file Keep.
const OverVar = "BLACKSTART_AGAIN"

const prefix = "BLACKSTART_ROOT_"

// fields names the parts of a job in the environment.
func (j *Job) fields() (numbers map[string]*int, texts map[string]*string) {
	return map[string]*int{"CHILD": &j.Child, "ORDERS": &j.Orders, "DEEDS": &j.Deeds, "KEEP": &j.Keep,
			"READY": &j.Ready, "TRIES": &j.Tries},
		map[string]*string{"FLAG": &j.Flag, "TEXT": &j.Text, "COMMAND": &j.Command,
			"PIDFILE": &j.PIDFile, "PROGRAM": &j.Program, "TYPED": &j.Typed, "MARK": &j.Mark, "LOG": &j.Log, "NAME": &j.Name}
}

// Environ is an environment with the job in it.
func (j *Job) Environ() []string {
	list := []string{prefix + "PAUSE=" + j.Pause.String()}
	numbers, texts := j.fields()
	for key, n := range numbers {
		list = append(list, prefix+key+"="+strconv.Itoa(*n))
	}
	for key, text := range texts {
		list = append(list, prefix+key+"="+*text)
	}
	return append(list, others()...)
}

// others is the environment without a job.
func others() []string {
	var list []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, prefix) {
			list = append(list, kv)
		}
	}
	return list
}

// read takes the job from the environment; ok is false when there is none.
func (j *Job) read() (ok bool) {
	numbers, texts := j.fields()
	for key, n := range numbers {
		var err error
		if *n, err = strconv.Atoi(os.Getenv(prefix + key)); err != nil {
			return false
		}
	}
	for key, text := range texts {
		*text = os.Getenv(prefix + key)
	}
	var err error
	j.Pause, err = time.ParseDuration(os.Getenv(prefix + "PAUSE"))
	return err == nil && j.Child > 1
}
