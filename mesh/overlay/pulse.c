/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How long the path of a link may be silent. An idle one for as long as a NAT remembers; one on
 * which voice flows hardly longer than an answer takes: then it is probed again and again, what is
 * said goes through others if there is a way, and if there is none the link is doubted. One of
 * which others say that it is gone, or that falls silent together with others, is probed so too.
 */
#include "mesh/core.h"

#define IDLE_US      (18 * S) /* silence after which an idle path is probed: a NAT forgets later */
#define IDLE_MORE_US (2 * S)
#define WAITING_US   (1500 * MS) /* the same while something awaits its acknowledgement */
#define PROBE_US     S
#define PROBES_LOST  6        /* unanswered: the path is dead */
#define KNOCK_US     (60 * S) /* unheard: whoever is kept is looked for by every way there is, */
#define SELDOM_US    (3 * S)  /* and its path is probed no more often than that */

#define FLOWS_US      S          /* between two frames: longer than a breath between words */
#define STRANGE_US    (400 * MS) /* the least silence that is strange while voice flows */
#define STRANGE_TIMES 2          /* or so many times what an answer takes */
#define GAP_US        (60 * MS)  /* between two probes then, or a quarter of a round trip */
#define FIRST_PROBES  6          /* unanswered: others are to carry */
#define SUSPECT_US    (150 * MS) /* the same on a quiet link, or half a round trip, */
#define LATELY_US     S          /* not heard for so long; less is no reason to doubt it, */
#define SILENT_LEAST  2          /* and so many that are silent at once are one for each */
#define DOUBT_US      (2 * S)    /* and three round trips: the link is doubted */
#define DOUBT_TRIPS   3
#define TRIP_GUESS_US (300 * MS)
#define SETTLED_US    (500 * MS) /* or three round trips: both use the path by then */
#define SETTLED_TRIPS 3

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* ---- times ---- */

/* One of both is enough to probe: the other waits a little longer. */
static uint64_t idle_us(const Neighbour *neighbour) {
    return neighbour->first ? IDLE_US : IDLE_US + IDLE_MORE_US;
}

static uint64_t trip_us(const Neighbour *neighbour) {
    return neighbour->trip_us ? neighbour->trip_us : TRIP_GUESS_US;
}

static uint64_t gap_us(const Neighbour *neighbour) {
    return neighbour->suspected ? later(SUSPECT_US, trip_us(neighbour) / 2)
                                : later(GAP_US, trip_us(neighbour) / 4);
}

/* How long an answer takes when all is well; the link forgets it with the path. */
static uint64_t answer_us(const Neighbour *neighbour) {
    uint64_t known_us = link_answer_us(neighbour->link);

    return known_us ? known_us : trip_us(neighbour) * 5 / 4 + GAP_US;
}

static bool flows(const Mesh *mesh, const Neighbour *neighbour) {
    return neighbour->voice_us > 0 && mesh->now_us < neighbour->voice_us + FLOWS_US;
}

/* Who said something is not content with being asked itself. */
static bool awaits_answer(const Neighbour *neighbour) {
    return link_expects(neighbour->link) || neighbour->spoken_us > neighbour->answered_us;
}

/* Since when it is silent though something is to be expected. */
static uint64_t since_us(const Neighbour *neighbour) {
    return later(awaits_answer(neighbour) ? neighbour->answered_us : neighbour->path_heard_us,
                 neighbour->flow_us);
}

static uint64_t strange_us(const Neighbour *neighbour) {
    return since_us(neighbour) + later(STRANGE_US, STRANGE_TIMES * answer_us(neighbour));
}

static uint64_t doubt_us(const Neighbour *neighbour) {
    return since_us(neighbour) + DOUBT_US + DOUBT_TRIPS * trip_us(neighbour);
}

static uint64_t dead_us(const Neighbour *neighbour) {
    return since_us(neighbour) + WAITING_US + PROBES_LOST * (PROBE_US + trip_us(neighbour));
}

uint64_t pulse_due_us(const Mesh *mesh, const Neighbour *neighbour) {
    uint64_t due_us = neighbour->probe_next_us;

    if (neighbour->pulse == PULSE_ASKED) {
        return neighbour->linked == LINKED_UP ? earlier(due_us, doubt_us(neighbour)) : due_us;
    }
    if (neighbour->probes_unanswered == 0 && link_expects(neighbour->link)) {
        due_us = earlier(due_us, neighbour->path_heard_us + WAITING_US);
    }
    if (neighbour->linked == LINKED_UP && flows(mesh, neighbour)) {
        due_us = earlier(due_us, strange_us(neighbour));
    }
    return due_us;
}

/* ---- what is heard ---- */

void pulse_voice(Mesh *mesh, Neighbour *neighbour, bool goes) {
    if (!flows(mesh, neighbour)) {
        neighbour->flow_us = mesh->now_us;
    }
    neighbour->voice_us = mesh->now_us;
    neighbour->suspected = false; /* it is asked more often for the voice, if it is silent */
    if (goes) {
        neighbour->spoken_us = mesh->now_us;
    }
}

static void calm(Mesh *mesh, Neighbour *neighbour) {
    neighbour->pulse = PULSE_CALM;
    neighbour->suspected = false;
    neighbour->path_heard_us = mesh->now_us;
    neighbour->probes_unanswered = 0;
    neighbour->probe_next_us = mesh->now_us + idle_us(neighbour);
    if (neighbour->linked != LINKED_UP) {
        route_back(mesh, neighbour);
    }
}

void pulse_heard(Mesh *mesh, Neighbour *neighbour, bool answers) {
    uint32_t measured_us = link_rtt_us(neighbour->link);

    neighbour->trip_us = measured_us ? measured_us : neighbour->trip_us;
    if (answers) {
        neighbour->answered_us = mesh->now_us;
    }
    if (answers || neighbour->pulse == PULSE_CALM || !awaits_answer(neighbour)) {
        calm(mesh, neighbour);
    }
}

void pulse_begin(Mesh *mesh, Neighbour *neighbour) {
    neighbour->answered_us = neighbour->used_us = mesh->now_us;
    calm(mesh, neighbour);
}

bool pulse_is_settled(const Mesh *mesh, const Neighbour *neighbour) {
    return mesh->now_us >=
           neighbour->used_us + later(SETTLED_US, SETTLED_TRIPS * trip_us(neighbour));
}

/* ---- what is not ---- */

void pulse_suspect(Mesh *mesh, Neighbour *neighbour) {
    if (!neighbour_is_direct(neighbour) || neighbour->pulse == PULSE_ASKED ||
        flows(mesh, neighbour) || mesh->now_us < neighbour->heard_us + LATELY_US) {
        return;
    }
    neighbour->pulse = PULSE_ASKED;
    neighbour->suspected = true;
    neighbour->flow_us = mesh->now_us;
    neighbour->probes_unanswered = 0;
    neighbour->probe_next_us = mesh->now_us;
}

static void send_probe(Mesh *mesh, Neighbour *neighbour) {
    route_probe(mesh, neighbour, &neighbour->path);
    neighbour->probes_unanswered++;
    neighbour->probe_next_us = mesh->now_us + PROBE_US + link_rtt_us(neighbour->link);
}

uint64_t pulse_ask(Mesh *mesh, Neighbour *neighbour) {
    if (neighbour->pulse == PULSE_CALM && neighbour->probes_unanswered == 0) {
        send_probe(mesh, neighbour);
    }
    return later(STRANGE_US, STRANGE_TIMES * answer_us(neighbour));
}

/* It was asked, and did not answer yet. */
static bool is_silent(const Neighbour *neighbour) {
    return neighbour && neighbour_is_up(neighbour) && neighbour->linked != LINKED_KEPT &&
           neighbour->path.kind != MESH_PATH_RELAY &&
           (neighbour->probes_unanswered > 0 || neighbour->suspected);
}

/* The one heard last of those who are not silent; NULL: all are. */
static Neighbour *find_heard(const Mesh *mesh) {
    const Neighbour *heard = NULL;
    uint32_t at = NEIGHBOUR_NONE;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        if (neighbour && neighbour_is_direct(neighbour) && !is_silent(neighbour) &&
            (!heard || neighbour->heard_us > heard->heard_us)) {
            heard = neighbour;
            at = slot;
        }
    }
    return neighbour_at(mesh, at);
}

/* Several are silent at once, of which this one was just asked. If others are heard since the last
 * time it was, so that it is not our own line, they are dead rather than slow. */
static void compare_silent(Mesh *mesh, const Neighbour *asked) {
    uint64_t since_us = PROBE_US + link_rtt_us(asked->link);
    bool heard = mesh->now_us < mesh->hush.heard_us + since_us;
    Neighbour *other = heard ? NULL : find_heard(mesh);
    unsigned silent = 0;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        silent += is_silent(neighbour_view(mesh, slot));
    }
    if (silent >= SILENT_LEAST && other) {
        pulse_ask(mesh, other);
    }
    for (uint32_t slot = 0; heard && silent >= SILENT_LEAST && slot < mesh->neighbours.end;
         slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);

        if (is_silent(neighbour) && neighbour->probes_unanswered > 1) {
            pulse_suspect(mesh, neighbour);
        }
    }
}

/* Nobody asks for anything at once: an idle path, or one on which something awaits its answer. */
static void probe(Mesh *mesh, Neighbour *neighbour) {
    if (neighbour->probes_unanswered >= PROBES_LOST) {
        route_silent(mesh, neighbour);
        return;
    }
    send_probe(mesh, neighbour);
    if (link_expects(neighbour->link) || neighbour->probes_unanswered > 1) {
        compare_silent(mesh, neighbour);
    }
}

/* Until the next probe while voice flows: when as many are lost as hardly ever are of a path that
 * lives, the answer to the last of them is awaited. */
static uint64_t pause_us(const Neighbour *neighbour) {
    if (neighbour->linked == LINKED_DOUBTED) {
        return PROBE_US + trip_us(neighbour);
    }
    if (neighbour->suspected) {
        return gap_us(neighbour);
    }
    if (neighbour->probes_unanswered == FIRST_PROBES) {
        return later(gap_us(neighbour), answer_us(neighbour));
    }
    return gap_us(neighbour) * (neighbour->probes_unanswered < FIRST_PROBES ? 1 : 2);
}

static void ask(Mesh *mesh, Neighbour *neighbour) {
    MeshPath path;

    if (neighbour->probes_unanswered >= FIRST_PROBES && !neighbour->suspected &&
        neighbour->path.kind != MESH_PATH_RELAY &&
        forward_path(mesh, neighbour->key.bytes, &path)) {
        route_detour(mesh, neighbour, &path, MESH_END_SILENT);
        return;
    }
    if (mesh->now_us >= dead_us(neighbour)) {
        route_silent(mesh, neighbour);
        return;
    }
    if (neighbour->linked == LINKED_UP && mesh->now_us >= doubt_us(neighbour)) {
        route_doubt(mesh, neighbour);
    }
    route_probe(mesh, neighbour, &neighbour->path);
    neighbour->probes_unanswered++;
    neighbour->probe_next_us = mesh->now_us + pause_us(neighbour);
}

/* It is held to be gone, but may be back. What is in flight asks for an answer by itself; but where
 * others are heard it is less likely to be the line, which is theirs then. */
static void await(Mesh *mesh, Neighbour *neighbour) {
    bool often;

    route_silent(mesh, neighbour);
    if (neighbour->linked != LINKED_KEPT) {
        return;
    }
    neighbour->quiet = neighbours_any_up(mesh);
    if (neighbour->counter == neighbour->asked_counter) {
        route_probe(mesh, neighbour, &neighbour->path);
    }
    if ((neighbour->probes_unanswered & (neighbour->probes_unanswered - 1)) == 0) {
        route_probe_others(mesh, neighbour); /* ever more seldom */
    }
    neighbour->asked_counter = neighbour->counter;
    if (mesh->now_us >= neighbour->path_heard_us + KNOCK_US && neighbour->contact == CONTACT_IDLE) {
        contact_begin(mesh, neighbour, false);
        reach_soon(mesh);
    }
    often = neighbour->contact == CONTACT_IDLE && !neighbour->quiet;
    neighbour->probes_unanswered++;
    neighbour->probe_next_us = mesh->now_us + trip_us(neighbour) + (often ? PROBE_US : SELDOM_US);
}

void pulse_timeout(Mesh *mesh, Neighbour *neighbour) {
    if (mesh->now_us < pulse_due_us(mesh, neighbour)) {
        return;
    }
    if (neighbour->linked == LINKED_KEPT) {
        await(mesh, neighbour);
        return;
    }
    if (neighbour->pulse == PULSE_CALM && neighbour->linked == LINKED_UP &&
        flows(mesh, neighbour) && mesh->now_us >= strange_us(neighbour)) {
        neighbour->pulse = PULSE_ASKED;
        neighbour->probes_unanswered = 0;
    }
    if (neighbour->pulse == PULSE_ASKED) {
        ask(mesh, neighbour);
    } else {
        probe(mesh, neighbour);
    }
}
