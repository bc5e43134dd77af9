# SPDX-License-Identifier: MPL-2.0
"""A meeting on this machine for a newcomer: your node and two others, one of which speaks."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import wave

TITLE = "Démonstration"
SPEECH = ("Bonjour à tous. Ici Camille. Aucun serveur entre nous : ma voix arrive chiffrée, "
          "directement, et si le lien direct se coupe, un autre membre la relaie.")
READY_S = 90  # the first start of a machine reads every GStreamer plugin there is
HEARD_S = 90
HEARD_FRAMES = 20


def say(english, french):
    """Prints one of the two, as the person's locale asks."""
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG")
                   if os.environ.get(name)), "")
    print(french if locale.startswith("fr") else english, flush=True)


class Node:
    """One node: its home (None: the person's own), its process, the commands typed at it."""

    def __init__(self, program, name, home=None):
        self.program = program
        self.name = name
        self.environment = dict(os.environ)
        if home is not None:
            self.environment["MAILLON_HOME"] = str(home)
        self.process = None

    def start(self, *options):
        """Starts it and returns its `ready` line."""
        # A session of its own: Ctrl-C reaches this program, which then ends its nodes in order.
        self.process = subprocess.Popen(
            [self.program, "start", *options], env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            start_new_session=True)
        said, found = [], threading.Event()

        def read():
            for line in self.process.stdout:
                said.append(line.rstrip())
                if line.startswith("ready"):
                    found.set()
            found.set()

        threading.Thread(target=read, daemon=True).start()
        found.wait(READY_S)
        for line in said:
            if line.startswith("ready"):
                return line
        sys.exit(f"{self.name}'s node did not start:\n" + "\n".join(said))

    def run(self, *words):
        """Runs one command and returns the document it printed."""
        ended = subprocess.run([self.program, *words, "--json"], env=self.environment, text=True,
                               stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if ended.returncode != 0:
            sys.exit(f"maillon {' '.join(words)} ({self.name}): {ended.stderr.strip()}")
        return json.loads(ended.stdout)

    def runs(self):
        """Does a node run on this home already?"""
        return subprocess.run([self.program, "status", "--json"], env=self.environment, check=False,
                              capture_output=True, stdin=subprocess.DEVNULL).returncode == 0

    def stop(self):
        """Ends it if it is ours to end."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def seconds(recording):
    with wave.open(str(recording), "rb") as sound:
        return sound.getnframes() / sound.getframerate()


def meet(you, camille, dominique, recording):
    """The meeting itself: create, join by ticket, chat, speak."""
    say(f"Creating the meeting “{TITLE}” …", f"Ouverture de la réunion « {TITLE} » …")
    you.run("meeting", "create", TITLE)
    ticket = you.run("invite", "--uses", "2")["ticket"]
    for other in (camille, dominique):
        begun = time.monotonic()
        other.run("join", ticket)
        took = f"{time.monotonic() - begun:.2f} s"
        say(f"{other.name} joined in {took}, by this ticket: {ticket}",
            f"{other.name} a rejoint la réunion en {took} par cette invitation : {ticket}")
    dominique.run("say", "Bonjour, ici Dominique. Vous m'entendez ? Moi, je vous lis.")
    camille.run("mic", "on", "--source", str(recording))


def hear(you, stop):
    """Waits until Camille's voice arrives, and says so: not every machine has a loudspeaker."""
    deadline = time.monotonic() + HEARD_S
    while time.monotonic() < deadline and not stop.wait(0.2):
        for speaker in you.run("stats")["speakers"]:
            if speaker["in_time"] >= HEARD_FRAMES:
                heard, sent = speaker["in_time"], speaker["frames"]
                say(f"Camille's voice arrives: {heard} of {sent} frames in time so far.",
                    f"La voix de Camille arrive : {heard} trames sur {sent} à temps jusqu'ici.")
                return
    if not stop.is_set():
        sys.exit("Camille's voice does not arrive: see `maillon stats`.")


def explain(page):
    commands = """    maillon status
    maillon messages
    maillon say "Bonjour"
    maillon mic on
    maillon motion open "On continue ?"     →     maillon vote ID pour
    maillon stats"""
    say(f"""
You are in a meeting with Camille, who speaks, and Dominique, who writes.
With a loudspeaker you hear Camille. Your page: {page or "none"}
In another terminal, try:
{commands}
Ctrl-C ends the demonstration.
""", f"""
Vous êtes en réunion avec Camille, qui parle, et Dominique, qui écrit.
Avec un haut-parleur, vous entendez Camille. Votre page : {page or "aucune"}
Dans un autre terminal, essayez :
{commands}
Ctrl-C met fin à la démonstration.
""")


def play(program, options, folder, stop):
    """Starts the nodes, holds the meeting, and ends what it started."""
    recording = folder / "camille.wav"
    subprocess.run(["espeak-ng", "-v", "fr", "-s", "150", "-w", str(recording), SPEECH], check=True)
    you = Node(program, "you")
    camille = Node(program, "Camille", folder / "camille")
    dominique = Node(program, "Dominique", folder / "dominique")
    try:
        page = ""
        if you.runs():
            say("Your node runs already and goes on afterwards.",
                "Votre poste est déjà en service et le restera.")
        else:
            page = "".join(you.start(*options).partition("http")[1:])
        for other in (camille, dominique):
            other.start("--name", other.name, "--sink", "fake", "--video-sink", "none", "--no-page")
        meet(you, camille, dominique, recording)
        hear(you, stop)
        explain(page)
        # The recording plays once; Camille says it again after a pause until Ctrl-C.
        while not stop.wait(seconds(recording) + 3):
            camille.run("mic", "on", "--source", str(recording))
    finally:
        say("Ending …", "Fin de la démonstration …")
        for node in (camille, dominique, you):
            node.stop()


def main():
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="maillon-demo-") as place:
        play(sys.argv[1], sys.argv[2:], pathlib.Path(place), stop)


if __name__ == "__main__":
    main()
