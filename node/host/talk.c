/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/talk.h"

#include <string.h>

#include "media/protocol.h"
#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/bandwidth.h"
#include "node/host/handlers.h"
#include "node/host/line.h"
#include "node/host/match.h"
#include "node/host/naming.h"
#include "node/host/sources.h"
#include "node/host/voice_message.h"

/* Whoever waits longer for an answer does not converse. */
#define LIVE_RTT_US (4 * G_USEC_PER_SEC)
/* No copies make up for that. */
#define LIVE_LOSS_PPM 500000

/* A line that was bad is good again with a fifth to spare. */
#define SPARE_FIFTHS 6

/* From there on twice the rate does not help: what is lost is lost again. */
#define LOSS_PPM_MAX 200000

guint talk_capacity_bps(guint rate_bps, guint loss_ppm) {
    guint64 loss = MIN(loss_ppm, LOSS_PPM_MAX);
    return (guint)((guint64)rate_bps * 1000000 / (1000000 + 5 * loss));
}

TalkWay talk_way(const MeshMember *member, gboolean was_bad) {
    guint64 more = was_bad ? SPARE_FIFTHS : 5;
    gboolean known = member->rate_bps > 0 && member->line_state != MESH_LINE_START;
    guint64 bps = talk_capacity_bps(member->rate_bps, member->loss_ppm);
    if (member->rtt_us * more >= LIVE_RTT_US * G_GUINT64_CONSTANT(5)) {
        return TALK_SLOW;
    }
    if (member->loss_ppm * more >= LIVE_LOSS_PPM * G_GUINT64_CONSTANT(5)) {
        return TALK_LOSSY;
    }
    /* Nothing is known of what a line carries at its beginning: it is tried. */
    return known && bps * 5 < MEDIA_VOICE_RATE_LEAST * more ? TALK_NARROW : TALK_LIVE;
}

/* Somebody hears what is said, by whatever way: a relay alone does not. */
static gboolean is_heard(Room *room) {
    MeshMember member;
    for (size_t i = 0; mesh_member(room->mesh, i, &member); i++) {
        if (!member.self && member.state == MESH_LINK_UP && member.role != MESH_ROLE_RELAY) {
            return TRUE;
        }
    }
    return FALSE;
}

TalkLine talk_line(Room *room, gboolean was_bad) {
    TalkLine line = {.way = TALK_NOBODY};
    MeshMember member;
    if (!is_heard(room)) {
        return line;
    }
    for (size_t i = 0; mesh_member(room->mesh, i, &member); i++) {
        if (member.self || member.expelled || !member.linked) {
            continue;
        }
        TalkWay way = talk_way(&member, was_bad);
        guint bps = talk_capacity_bps(member.rate_bps, member.loss_ppm);
        if (way < line.way || (way == line.way && bps > line.bps)) {
            line = (TalkLine){way, member, bps};
        }
    }
    guint share_bps = bandwidth_share_bps(room);
    if (line.way == TALK_LIVE && share_bps > 0 && share_bps < MEDIA_VOICE_RATE_LEAST) {
        line.way = TALK_BOUND;
        line.bps = share_bps;
    }
    return line;
}

/* ---- words ---- */

char *talk_why_not(Language language, const TalkLine *line) {
    const char *name = line->way != TALK_NOBODY ? naming_member(language, &line->best) : "";
    g_autofree char *rate = line_rate_text(language, line->bps);
    g_autofree char *time = line_time_text(language, line->best.rtt_us / 1000);
    switch (line->way) {
    case TALK_NARROW:
        return g_strdup_printf(
            language_text_in(language, N_("The line to %s carries %s: too little for live voice.")),
            name, rate);
    case TALK_SLOW:
        return g_strdup_printf(
            language_text_in(language, N_("An answer of %s takes %s: too long for live voice.")),
            name, time);
    case TALK_LOSSY:
        return g_strdup_printf(
            language_text_in(language,
                             N_("The line to %s loses %u %% of packets: too many for live voice.")),
            name, line->best.loss_ppm / 10000);
    case TALK_BOUND:
        return g_strdup_printf(
            language_text_in(language, N_("Your setting allows %s to each: too little for live "
                                          "voice.")),
            rate);
    case TALK_NOBODY:
        return g_strdup(language_text_in(language, N_("Nobody is in reach now.")));
    case TALK_LIVE:
        break;
    }
    return NULL;
}

void talk_say_live(BusCall *call) {
    bus_call_say(call, language_text_in(bus_call_language(call), N_("You are heard live.")));
}

static void say_instead(BusCall *call, const TalkLine *line) {
    Language language = bus_call_language(call);
    g_autofree char *why = talk_why_not(language, line);
    g_autofree char *text = g_strdup_printf(
        "%s %s", why,
        language_text_in(language, N_("A voice message is recorded instead, which will arrive.")));
    bus_call_say(call, text);
}

/* ---- the commands ---- */

void host_handle_talk(Host *host, BusCall *call) {
    JsonObject *arguments = bus_call_arguments(call);
    const char *words = json_text(arguments, "source", "auto");
    guint seconds = (guint)MIN(json_int(arguments, "seconds", 0), G_MAXINT32);
    Room *room = room_of_call(host, call);
    if (room == NULL) {
        return;
    }
    TalkLine line = talk_line(room, FALSE);
    if (line.way == TALK_LIVE && !voice_record_runs(host)) {
        sources_talk(room, words, seconds, call);
        return;
    }
    if (host->media != NULL && !voice_record_runs(host)) {
        say_instead(call, &line);
    }
    voice_record_begin(room, words, seconds, TRUE, call);
}

void host_handle_voice_send(Host *host, BusCall *call) {
    JsonObject *arguments = bus_call_arguments(call);
    Room *room = room_of_call(host, call);
    if (room != NULL) {
        guint seconds = (guint)MIN(json_int(arguments, "seconds", 0), G_MAXINT32);
        voice_record_begin(room, json_text(arguments, "source", "auto"), seconds, FALSE, call);
    }
}

void host_handle_voice_play(Host *host, BusCall *call) {
    const char *wanted = json_text(bus_call_arguments(call), "id", "");
    Room *room = room_of_call(host, call);
    MeshMessage message;
    if (room != NULL && match_voice(room, call, wanted, &message)) {
        voice_play_begin(room, &message, call);
    }
}

/* Who talks may speak a message instead, and there is one microphone for both. */
void host_handle_voice_stop(Host *host, BusCall *call) {
    const char *what = json_text(bus_call_arguments(call), "what", "");
    if (strcmp(what, "play") != 0) {
        voice_record_stop(host);
        sources_talk_end(host);
    }
    if (what[0] == '\0' || strcmp(what, "play") == 0) {
        voice_play_stop(host);
    }
    bus_call_reply(call, NULL);
}
