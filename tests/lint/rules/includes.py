# SPDX-License-Identifier: MPL-2.0
"""Which headers each folder may include: the walls between the three rooms."""

import re

from . import Rule

_PURE_C = r"(assert|inttypes|limits|stdalign|stdbool|stddef|stdint|stdlib|stdnoreturn|string)\.h"
_LIBC = (r"(arpa|asm|linux|net|netinet|sys)/\w+\.h|"
         r"(assert|ctype|dirent|endian|errno|fcntl|getopt|ifaddrs|inttypes|libgen|limits|locale|math|"
         r"netdb|poll|pthread|pwd|sched|signal|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|"
         r"stdlib|string|strings|syslog|termios|time|unistd|wchar)\.h")
_GLIB = r"glib\.h|glib-unix\.h|glib/[\w-]+\.h|gio/\w+\.h"
_PUBLIC_MESH = r"mesh/\w+\.h"

# Folder or file → what it may include; the longest name that begins a file's path counts.
ALLOWED = {
    "mesh/": [_PURE_C, r"sodium\.h", r"cbor\.h", r"mesh/.+\.h"],
    "media/": [_LIBC, _GLIB, r"gst/.+\.h", r"zmq\.h", r"media/\w+\.h"],
    "media/codec2.c": ["+media/", r"codec2/codec2\.h"],
    "media/wav.": [_LIBC, _GLIB, r"media/wav\.h"],
    "media/protocol.": [_PURE_C, r"errno\.h", r"media/protocol\.h"],
    "media/heard.": [_LIBC, r"media/heard\.h"],
    "node/": [_LIBC, _GLIB, r"json-glib/[\w-]+\.h", r"sodium\.h", _PUBLIC_MESH,
              r"media/(heard|protocol|wav)\.h", r"node/.+\.h"],
    "node/net/ice.c": ["+node/", r"(nice|stun)/.+\.h"],
    "node/net/stun.c": ["+node/", r"stun/.+\.h"],
    "node/store/": ["+node/", r"sqlite3\.h"],
    "node/bus/": ["+node/", r"zmq\.h"],
    "node/page/": ["+node/", r"libsoup/soup\.h"],
    "node/cli/qr.c": ["+node/", r"qrencode\.h"],
    "tests/": [_LIBC, _GLIB, r"json-glib/[\w-]+\.h", r"libsoup/soup\.h", r"(nice|stun)/.+\.h",
               r"gst/.+\.h", r"(sodium|cbor|sqlite3|zmq)\.h", r"(mesh|media|node|tests)/.+\.h"],
    "tests/bench/": ["+tests/", r"tox/tox\.h", r"usrsctp\.h"],
    "tests/sim/": [_LIBC, _GLIB, r"setjmp\.h", r"(sodium|cbor)\.h", r"(mesh|tests)/.+\.h"],
    "tests/sim/talk.": ["+tests/sim/", r"media/(ladder|jitter|protocol)\.h"],
}
_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def _allowed(name):
    longest = max((place for place in ALLOWED if name.startswith(place)), key=len, default=None)
    patterns = ALLOWED.get(longest, [])
    return [inner for pattern in patterns
            for inner in (ALLOWED[pattern[1:]] if pattern.startswith("+") else [pattern])]


def includes(tree):
    """each folder includes only what it may"""
    problems = []
    for name, number, line in tree.lines(r".*\.[ch]$"):
        found = _INCLUDE.match(line)
        if found and not any(re.fullmatch(pattern, found[1]) for pattern in _allowed(name)):
            problems.append(f"{name}:{number}: may not include {found[1]}")
    return problems


RULES = [
    Rule("the core includes only pure C, libsodium and libcbor", includes,
         bad={"mesh/clock.c": "#include <time.h>\n"},
         good={"mesh/clock.c": '#include <string.h>\n#include <sodium.h>\n#include "mesh/a/b.h"\n'}),
    Rule("the media helper knows neither core nor node", includes,
         bad={"media/play.c": '#include "mesh/mesh.h"\n'},
         good={"media/play.c": '#include <gst/gst.h>\n#include "media/protocol.h"\n'}),
    Rule("what node and helper share is pure C", includes,
         bad={"media/protocol.h": "#include <glib.h>\n"},
         good={"media/protocol.h": "#include <stdint.h>\n"}),
    Rule("the memory that both helpers share knows no library", includes,
         bad={"media/heard.c": "#include <glib.h>\n"},
         good={"media/heard.c": '#include <sys/mman.h>\n#include "media/heard.h"\n'}),
    Rule("how both write a recording knows no GStreamer", includes,
         bad={"media/wav.c": "#include <gst/gst.h>\n"},
         good={"media/wav.c": '#include <gio/gio.h>\n#include "media/wav.h"\n'}),
    Rule("the node sees only the core's façade", includes,
         bad={"node/main.c": '#include "mesh/link/queue.h"\n'},
         good={"node/main.c": '#include "mesh/mesh.h"\n#include "media/protocol.h"\n'}),
    Rule("libnice stays in node/net/ice.c", includes,
         bad={"node/net/stun.c": "#include <nice/agent.h>\n"},
         good={"node/net/ice.c": "#include <nice/agent.h>\n#include <glib.h>\n"}),
    Rule("its coding of STUN in node/net/stun.c too", includes,
         bad={"node/net/knock.c": "#include <stun/stunagent.h>\n"},
         good={"node/net/stun.c": "#include <stun/stunagent.h>\n"}),
    Rule("SQLite stays in node/store", includes,
         bad={"node/bus/table.c": "#include <sqlite3.h>\n"},
         good={"node/store/store.c": "#include <sqlite3.h>\n"}),
    Rule("ZeroMQ stays in node/bus", includes,
         bad={"node/cli/call.c": "#include <zmq.h>\n"},
         good={"node/bus/socket.c": "#include <zmq.h>\n"}),
    Rule("libcodec2 stays in media/codec2.c", includes,
         bad={"media/voice.c": "#include <codec2/codec2.h>\n"},
         good={"media/codec2.c": "#include <codec2/codec2.h>\n"}),
    Rule("libqrencode stays in node/cli/qr.c", includes,
         bad={"node/cli/print.c": "#include <qrencode.h>\n"},
         good={"node/cli/qr.c": "#include <qrencode.h>\n"}),
]
