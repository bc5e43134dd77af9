/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/lines.h"

#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/calm.h"
#include "node/host/naming.h"
#include "node/host/notice.h"
#include "node/host/offer.h"
#include "node/host/rungs.h"
#include "node/host/ways.h"

#define LOOK_MS   1000
#define US_PER_MS 1000

/* What became worse is told soon, what became better when it stays so. */
#define WORSE_MS  2000
#define BETTER_MS 8000

/* However many links change at once (a switch is pulled), a person is told of so many, and of one
 * more each so often; events tell of all. */
#define NOTICES_MAX 6
#define NOTICE_MS   10000

/* A mask that holds every LineCondition. */
#define CONDITIONS 3u

typedef struct {
    MeshKey member;
    guint room;
    gboolean known;  /* it was up */
    gint64 heard_ms; /* when it last was, and answered */
    LineWeakness weak;
    gboolean leads; /* the weakest of its room: the sources follow it */
    Calm calm;
    LineCondition noticed; /* what the person was told last */
    guint told_bps; /* of a weak line, when it was last told; it is told anew at half or twice that,
                     */
    guint tellings; /* so often */
} Line;

struct Lines {
    GHashTable *lines; /* Line: the set of them */
    guint timer;
    guint notices; /* still free to be told */
    gint64 noticed_ms;
};

static guint line_hash(gconstpointer data) {
    const Line *line = data;
    guint hash;
    memcpy(&hash, line->member.bytes, sizeof hash); /* keys are as good as random */
    return hash + line->room;
}

static gboolean line_equal(gconstpointer first, gconstpointer second) {
    const Line *a = first, *b = second;
    return a->room == b->room && memcmp(a->member.bytes, b->member.bytes, MESH_KEY_SIZE) == 0;
}

static gint64 now_ms(void) {
    return g_get_monotonic_time() / US_PER_MS;
}

static Line *find(const Room *room, const MeshKey *member) {
    Line wanted = {.member = *member, .room = room->number};
    return g_hash_table_lookup(room->host->lines->lines, &wanted);
}

static Line *find_or_add(const Room *room, const MeshKey *member) {
    Line *line = find(room, member);
    if (line == NULL) {
        line = g_new0(Line, 1);
        line->member = *member;
        line->room = room->number;
        g_hash_table_add(room->host->lines->lines, line);
    }
    return line;
}

LineView lines_view(Room *room, const MeshMember *member) {
    const Line *line = find(room, &member->key);
    LineView view = {.state = member->state,
                     .line = member->line_state,
                     .rate_bps = member->rate_bps,
                     .loss_ppm = member->loss_ppm,
                     .rtt_us = member->rtt_us,
                     .left = ways_end(room, &member->key) == MESH_END_LEFT};
    if (line != NULL) {
        view.known = line->known;
        view.silent_ms = line->known ? (guint64)(now_ms() - line->heard_ms) : 0;
        view.weak = line_weakness(&view, line->weak);
        if (line->leads) {
            rungs_view(room, &view);
        }
    }
    return view;
}

/* ---- telling ---- */

static gboolean may_notice(Lines *lines, gint64 now) {
    guint more = (guint)MIN((now - lines->noticed_ms) / NOTICE_MS, NOTICES_MAX);
    if (more > 0) {
        lines->notices = MIN(lines->notices + more, NOTICES_MAX);
        lines->noticed_ms = now;
    }
    if (lines->notices == 0) {
        return FALSE;
    }
    lines->notices--;
    return TRUE;
}

static char *text_of(Language language, const char *name, LineCondition before,
                     const LineView *view) {
    if (line_condition(view) == LINE_FINE) {
        return g_strdup_printf(language_text_in(language, before == LINE_SILENT
                                                              ? N_("%s answers again")
                                                              : N_("%s: the line is good again")),
                               name);
    }
    /* What it makes of this node's voice and pictures is told by itself. */
    LineView line = *view;
    line.voice = line.camera = line.screen = LINE_SOURCE_OFF;
    g_autofree char *sentence = line_sentence(language, &line);
    return g_strdup_printf(language_text_in(language, N_("%s: %s")), name,
                           sentence != NULL ? sentence : "");
}

/* Whether a weak line carries so much less, or more, that what was told of it misleads. */
static gboolean is_outdated(const Line *line, const LineView *view) {
    guint64 bps = line_rate_told(view), told_bps = line->told_bps;
    if (line_condition(view) != LINE_WEAK ||
        (LineCondition)(line->calm.told & CONDITIONS) != LINE_WEAK) {
        return FALSE; /* it is told anyway */
    }
    return bps == 0 || told_bps == 0 ? bps != told_bps : bps * 2 <= told_bps || bps >= told_bps * 2;
}

static void tell_person(Room *room, Line *line, const MeshMember *member, const LineView *view,
                        gboolean anew) {
    Host *host = room->host;
    LineCondition condition = line_condition(view);
    LineCondition before = line->noticed;
    if ((condition == before && !anew) || !may_notice(host->lines, now_ms())) {
        return;
    }
    line->noticed = condition;
    char *texts[LANGUAGES];
    for (Language language = 0; language < LANGUAGES; language++) {
        texts[language] = text_of(language, naming_member(language, member), before, view);
    }
    notice_tell_texts(host, &line->member, texts);
}

static void look_at(Room *room, const MeshMember *member, gint64 now) {
    Line *line = find_or_add(room, &member->key);
    if (member->state == MESH_LINK_UP && member->line_state != MESH_LINE_OUTAGE) {
        line->known = TRUE;
        line->heard_ms = now;
    }
    LineView view = lines_view(room, member);
    line->weak = view.weak;
    LineCondition condition = line_condition(&view);
    gboolean outdated = is_outdated(line, &view);
    gboolean worse = condition > (LineCondition)(line->calm.told & CONDITIONS) ||
                     (outdated && (line->told_bps == 0 || view.rate_bps < line->told_bps));
    guint value = condition | (line->tellings + outdated) * (CONDITIONS + 1);
    if (calm_due(&line->calm, value, worse ? WORSE_MS : BETTER_MS, now)) {
        notice_line(room, member);
        tell_person(room, line, member, &view, outdated);
        line->tellings += outdated;
        line->told_bps = line_rate_told(&view);
    }
}

/* ---- looking ---- */

/* The sources of a node go by the weakest link they leave by. */
static void choose_leader(Room *room) {
    MeshMember member;
    MeshKey weakest = {0};
    guint rate_bps = 0;
    for (size_t i = 0; mesh_member(room->mesh, i, &member); i++) {
        if (!member.self && member.state == MESH_LINK_UP && member.rate_bps != 0 &&
            (rate_bps == 0 || member.rate_bps < rate_bps)) {
            rate_bps = member.rate_bps;
            weakest = member.key;
        }
    }
    GHashTableIter iter;
    gpointer value = NULL;
    g_hash_table_iter_init(&iter, room->host->lines->lines);
    while (g_hash_table_iter_next(&iter, &value, NULL)) {
        Line *line = value;
        if (line->room == room->number) {
            line->leads = rate_bps != 0 && memcmp(&line->member, &weakest, sizeof weakest) == 0;
        }
    }
}

static gboolean look(gpointer data) {
    Host *host = data;
    gint64 now = now_ms();
    for (guint i = 0; i < host->rooms->len; i++) {
        Room *room = g_ptr_array_index(host->rooms, i);
        MeshMember member;
        if (room->state != ROOM_OPEN || !room_is_joined(room)) {
            continue;
        }
        choose_leader(room);
        for (size_t at = 0; mesh_member(room->mesh, at, &member); at++) {
            if (!member.self && !member.expelled) {
                look_at(room, &member, now);
            }
        }
        ways_look(room, now);
    }
    rungs_look(host, now);
    offer_look(host);
    return G_SOURCE_CONTINUE;
}

/* ---- life ---- */

void lines_create(Host *host) {
    host->lines = g_new0(Lines, 1);
    host->lines->lines = g_hash_table_new_full(line_hash, line_equal, g_free, NULL);
    host->lines->notices = NOTICES_MAX;
    host->lines->timer = g_timeout_add(LOOK_MS, look, host);
}

void lines_destroy(Host *host) {
    if (host->lines != NULL) {
        g_source_remove(host->lines->timer);
        g_hash_table_unref(host->lines->lines);
        g_clear_pointer(&host->lines, g_free);
    }
}

static gboolean is_of_room(gpointer key, gpointer value, gpointer data) {
    return ((const Line *)key)->room == GPOINTER_TO_UINT(data);
}

void lines_room_closed(Room *room) {
    g_hash_table_foreach_remove(room->host->lines->lines, is_of_room,
                                GUINT_TO_POINTER(room->number));
}
