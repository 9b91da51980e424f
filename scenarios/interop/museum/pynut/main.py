"""What a user of PyNUT does, told one fact a line with tabs between the words.

Arguments: port, user, password, new value of ups.id, port of the server whose UPS pynut gets FSD.
"""

import sys
import warnings

warnings.simplefilter("ignore", DeprecationWarning)  # PyNUT uses telnetlib

import PyNUT

port, user, password, value, doomed = sys.argv[1:]


def tell(*words):
    print(*(w.decode() if isinstance(w, bytes) else str(w) for w in words), sep="\t")


def step(name, call):
    """Returns what the call returns, or prints what went wrong."""
    try:
        return call()
    except Exception as e:
        text = e.args[0] if e.args else e
        tell("error", name, text if isinstance(text, bytes) else type(e).__name__ + ": " + str(text))


nut = PyNUT.PyNUTClient(host="127.0.0.1", port=int(port), login=user, password=password)
upses = step("list", nut.GetUPSList) or {}
for ups, desc in upses.items():
    tell("ups", ups, desc)

# A client of its own for each, since one that has raised has read a reply half.
nut = PyNUT.PyNUTClient(host="127.0.0.1", port=int(port), login=user, password=password)
for ups in "rack", "desk":
    for name, v in (step("variables of " + ups, lambda: nut.GetUPSVars(ups)) or {}).items():
        tell("var", ups, name, v)
    for name, v in (step("writable of " + ups, lambda: nut.GetRWVars(ups)) or {}).items():
        tell("rw", ups, name, "")
    for name, v in (step("commands of " + ups, lambda: nut.GetUPSCommands(ups)) or {}).items():
        tell("cmd", ups, name, "")
tell("did", "version", "told" if b"upsd" in nut.ver() else "not told")
tell("did", "help", "told" if b"LIST" in nut.help() else "not told")
tell("did", "set", step("set", lambda: nut.SetRWVar("desk", "ups.id", value)))
tell("did", "command", step("command", lambda: nut.RunUPSCommand("desk", "beeper.mute")))
step("command that is none", lambda: nut.RunUPSCommand("desk", "no.such"))
step("clients", nut.ListClients)
nut = PyNUT.PyNUTClient(host="127.0.0.1", port=int(doomed), login=user, password=password)
tell("did", "fsd", step("fsd", lambda: nut.FSD("pynut")))
