/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/offer.h"

#include <stdio.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/match.h"
#include "node/host/naming.h"
#include "node/host/notice.h"
#include "node/host/talk.h"

/* So long it has been so, ms: that live voice does not fit; that nobody is there, who may just be
 * changing networks; that it is well again. */
#define WEAK_MS   3000
#define NOBODY_MS 10000
#define GOOD_MS   5000

/* Whose voice it is about: spoken now, or before, with an offer that still stands. */
static Room *room_spoken_in(Host *host) {
    const Source *source = &host->sources[MEDIA_KIND_VOICE];
    guint number = source->state == SOURCE_SENDING ? source->room : host->offer.room;
    Room *room = room_find(host, number);
    return room != NULL && room->state == ROOM_OPEN ? room : NULL;
}

/* Someone else takes part, present or not. */
static gboolean has_listener(Room *room) {
    MeshMember member;
    for (size_t i = 0; mesh_member(room->mesh, i, &member); i++) {
        if (!member.self && !member.expelled && member.role != MESH_ROLE_RELAY) {
            return TRUE;
        }
    }
    return FALSE;
}

/* ---- words ---- */

static void put(JsonBuilder *builder, const Offer *offer, Language language) {
    char id[MATCH_TEXT_SIZE] = "";
    if (offer->rate_bps > 0) {
        match_text(offer->member.bytes, id);
    }
    json_put_text(builder, "offer", "voice send");
    json_put_text(builder, "member", id);
    json_put_int(builder, "rate_bps", offer->rate_bps);
    json_put_text(builder, "reason", offer->reasons[language]);
    naming_put_texts(builder, "reasons", offer->reasons);
}

void offer_put(const Host *host, const Room *room, JsonBuilder *builder, Language language) {
    if (room != NULL && host->offer.room == room->number) {
        json_builder_set_member_name(builder, "offer");
        json_builder_begin_object(builder);
        put(builder, &host->offer, language);
        json_builder_end_object(builder);
    }
}

static void publish(Host *host, Room *room) {
    if (host->bus == NULL || !bus_is_heard(host->bus)) {
        return;
    }
    JsonBuilder *builder = notice_begin(room);
    if (host->offer.room != 0) {
        put(builder, &host->offer, language_chosen());
    } else {
        json_put_text(builder, "offer", "");
    }
    bus_publish(host->bus, "offer", builder);
}

/* ---- telling ---- */

/* Whoever holds the microphone was told to be heard live. */
static void say_held(Host *host) {
    const Source *source = &host->sources[MEDIA_KIND_VOICE];
    if (!source->held || source->call == NULL || source->state != SOURCE_SENDING) {
        return;
    }
    if (host->offer.room != 0) {
        bus_call_say(source->call, host->offer.reasons[bus_call_language(source->call)]);
    } else {
        talk_say_live(source->call);
    }
}

static void forget(Offer *offer) {
    naming_free_texts(offer->reasons);
    *offer = (Offer){.calm = offer->calm};
}

static void make(Host *host, Room *room, const TalkLine *line) {
    Offer *offer = &host->offer;
    forget(offer);
    offer->room = room->number;
    if (line->way != TALK_NOBODY) {
        offer->member = line->best.key;
        offer->rate_bps = line->bps;
    }
    for (Language language = 0; language < LANGUAGES; language++) {
        offer->reasons[language] = talk_why_not(language, line);
    }
    publish(host, room);
    say_held(host);
    Language language = language_chosen();
    fprintf(
        stderr, "maillon: %s %s\n", offer->reasons[language],
        language_text_in(language, N_("`maillon voice send` records a message that will arrive.")));
}

static void take_back(Host *host, Room *room, const TalkLine *line) {
    char *texts[LANGUAGES];
    forget(&host->offer);
    for (Language language = 0; language < LANGUAGES; language++) {
        texts[language] = g_strdup_printf(
            language_text_in(language, N_("The line to %s carries live voice again.")),
            naming_member(language, &line->best));
    }
    publish(host, room);
    say_held(host);
    notice_tell_texts(host, NULL, texts);
}

/* What was offered was about another meeting, one that was left, or one where nobody else is. */
static void drop(Host *host) {
    Room *room = room_find(host, host->offer.room);
    host->offer.calm.told = FALSE;
    forget(&host->offer);
    if (room != NULL) {
        publish(host, room);
    }
}

void offer_look(Host *host) {
    Offer *offer = &host->offer;
    Room *room = room_spoken_in(host);
    TalkLine line = {.way = TALK_LIVE};
    if (offer->room != 0 && (room == NULL || room->number != offer->room)) {
        drop(host);
    }
    if (room != NULL) {
        line = talk_line(room, offer->room != 0);
    }
    gboolean bad = line.way == TALK_NOBODY ? has_listener(room) : line.way != TALK_LIVE;
    guint hold_ms = !bad ? GOOD_MS : line.way == TALK_NOBODY ? NOBODY_MS : WEAK_MS;
    if (!calm_due(&offer->calm, bad, hold_ms, g_get_monotonic_time() / 1000) || room == NULL) {
        return;
    }
    if (bad) {
        make(host, room, &line);
    } else if (line.way == TALK_LIVE) {
        take_back(host, room, &line);
    } else {
        drop(host);
    }
}

void offer_destroy(Host *host) {
    forget(&host->offer);
}
