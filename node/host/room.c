/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/room.h"

#include <sodium.h>
#include <string.h>

#include "node/cli/language.h"
#include "node/host/bandwidth.h"
#include "node/host/leaving.h"
#include "node/host/lines.h"
#include "node/host/match.h"
#include "node/host/notice.h"
#include "node/host/sources.h"
#include "node/host/speakers.h"
#include "node/host/turn.h"
#include "node/host/ways.h"

#define SHORT_ID 8 /* letters of an id a person is shown */

typedef struct {
    guint64 tag; /* the key of the table */
    Room *room;
    IntentDone done;
    gpointer data;
} Waiting;

typedef struct {
    MeshEvent event;
    GBytes *bytes;
} Later;

/* ---- which room ---- */

Room *room_find(Host *host, guint number) {
    for (guint i = 0; i < host->rooms->len; i++) {
        Room *room = g_ptr_array_index(host->rooms, i);
        if (room->number == number && room->state == ROOM_OPEN) {
            return room;
        }
    }
    return NULL;
}

gboolean room_is_awake(const Room *room) {
    return room->state == ROOM_OPEN || room->state == ROOM_LEAVING;
}

gboolean room_is_joined(const Room *room) {
    MeshStatus status = mesh_info(room->mesh).status;
    return status == MESH_STATUS_MEMBER || status == MESH_STATUS_EXPELLED;
}

Room *room_current(Host *host) {
    Room *room = room_find(host, host->current);
    if (room != NULL && room_is_joined(room)) {
        return room;
    }
    /* The one chosen is gone, or was never remembered: the newest is the likeliest. */
    for (guint i = host->rooms->len; i-- > 0;) {
        room = g_ptr_array_index(host->rooms, i);
        if (room->state == ROOM_OPEN && room_is_joined(room)) {
            return room;
        }
    }
    return NULL;
}

/* The newest of those left: the likeliest to be meant. */
static Room *newest_left(Host *host) {
    for (guint i = host->rooms->len; i-- > 0;) {
        Room *room = g_ptr_array_index(host->rooms, i);
        if (room->state == ROOM_AWAY && mesh_info(room->mesh).status == MESH_STATUS_MEMBER) {
            return room;
        }
    }
    return NULL;
}

Room *room_of_call(Host *host, BusCall *call) {
    Room *room = room_current(host);
    Room *left = room == NULL ? newest_left(host) : NULL;
    if (left != NULL) {
        char id[MATCH_TEXT_SIZE];
        match_text(mesh_info(left->mesh).id.bytes, id);
        bus_call_refuse(call,
                        N_("in no meeting: `maillon meeting use %.*s` takes part again in the last "
                           "one left, `maillon meeting list` shows all"),
                        SHORT_ID, id);
    } else if (room == NULL) {
        bus_call_refuse(call, N_("in no meeting: `maillon meeting create TITLE` or `maillon join "
                                 "TICKET`"));
    }
    return room;
}

void room_use(Room *room) {
    room->host->current = room->number;
    turn_schedule(room->host);
}

void room_leave(Room *room) {
    room->state = ROOM_LEAVING;
    turn_schedule(room->host);
}

/* ---- intents ---- */

void room_intent(Room *room, MeshIntent *intent, IntentDone done, gpointer data) {
    Host *host = room->host;
    Waiting *waiting = g_new(Waiting, 1);
    *waiting = (Waiting){++host->tag, room, done, data};
    g_hash_table_insert(host->intents, &waiting->tag, waiting);
    intent->tag = waiting->tag;
    intent->at_ms = (guint64)(g_get_real_time() / 1000);
    MeshEvent event = {.kind = MESH_EVENT_INTENT, .intent = intent};
    room_step(room, &event);
}

static void intent_done(Room *room, const MeshEffect *effect) {
    guint64 tag = effect->done.tag;
    Waiting *waiting = g_hash_table_lookup(room->host->intents, &tag);
    if (waiting == NULL) {
        return;
    }
    g_hash_table_steal(room->host->intents, &tag);
    waiting->done(room, effect, waiting->data);
    g_free(waiting);
}

/* What still waits for this room ends. */
static void end_intents(Room *room) {
    for (;;) {
        GHashTableIter iter;
        gpointer value = NULL;
        Waiting *found = NULL;
        g_hash_table_iter_init(&iter, room->host->intents);
        while (found == NULL && g_hash_table_iter_next(&iter, NULL, &value)) {
            Waiting *waiting = value;
            found = waiting->room == room ? waiting : NULL;
        }
        if (found == NULL) {
            return;
        }
        MeshEffect effect = {.kind = MESH_EFFECT_DONE,
                             .done = {.tag = found->tag, .error = MESH_ERROR_STATE}};
        intent_done(room, &effect);
    }
}

void room_refuse(BusCall *call, MeshError error) {
    g_autofree char *reason =
        g_ascii_strdown(mesh_error_name(error) + strlen("MESH_ERROR_"), -1); /* "ticket_used" */
    g_assert(error != MESH_OK);
    bus_call_refuse_for(call, reason,
                        language_text_in(bus_call_language(call), mesh_error_text(error)));
}

/* ---- effects ---- */

/* What is empty is something all the same: an item that is not there has no data. */
static const guint8 *data_of(GBytes *value, gsize *ret_length) {
    static const guint8 empty;
    const guint8 *data = g_bytes_get_data(value, ret_length);
    return data != NULL ? data : &empty;
}

static void fetch(Room *room, guint64 token, const MeshItem *item) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) value = store_fetch(room->host->store, room->number, item, &error);
    if (error != NULL && room->host->unreadable++ == 0) {
        notice_tell(room->host, N_("something recorded cannot be read: %s"), error->message);
    }
    MeshEvent event = {.kind = MESH_EVENT_FETCHED, .stored.token = token};
    if (value != NULL) {
        event.stored.bytes.data = data_of(value, &event.stored.bytes.length);
    }
    room_step(room, &event);
}

/* What one that was left may still do: keep its own books. */
static gboolean is_quiet(const MeshEffect *effect) {
    return effect->kind == MESH_EFFECT_PERSIST || effect->kind == MESH_EFFECT_FORGET ||
           effect->kind == MESH_EFFECT_FETCH || effect->kind == MESH_EFFECT_DONE;
}

static void do_effect(Room *room, const MeshEffect *effect) {
    Host *host = room->host;
    if (!room_is_awake(room) && !is_quiet(effect)) {
        return;
    }
    Bytes datagram = {effect->send.bytes, effect->send.length};
    switch (effect->kind) {
    case MESH_EFFECT_SEND:
        net_send(host->net, room->number, &effect->send.path, datagram);
        break;
    case MESH_EFFECT_BEACON:
        net_beacon(host->net, datagram);
        break;
    case MESH_EFFECT_PERSIST:
        turn_put(room, effect->store.token, &effect->store.item);
        break;
    case MESH_EFFECT_FORGET:
        turn_forget(room, &effect->store.item);
        break;
    case MESH_EFFECT_FETCH:
        fetch(room, effect->store.token, &effect->store.item);
        break;
    case MESH_EFFECT_ICE_START:
        net_ice_start(host->net, room->number, effect->ice.agent, effect->ice.controlling,
                      effect->ice.servers, effect->ice.server_count);
        break;
    case MESH_EFFECT_ICE_REMOTE:
        if (!net_ice_remote(host->net, room->number, effect->ice.agent, effect->ice.offer)) {
            MeshEvent down = {.kind = MESH_EVENT_ICE_DOWN, .ice.agent = effect->ice.agent};
            net_ice_stop(host->net, room->number, effect->ice.agent);
            room_step(room, &down);
        }
        break;
    case MESH_EFFECT_ICE_STOP:
        net_ice_stop(host->net, room->number, effect->ice.agent);
        break;
    case MESH_EFFECT_STREAM_OPEN:
    case MESH_EFFECT_STREAM_CLOSE:
    case MESH_EFFECT_FRAME:
        speakers_effect(room, effect);
        break;
    case MESH_EFFECT_KEYFRAME:
        sources_keyframe(room, (MediaKind)effect->stream.frame.kind);
        break;
    case MESH_EFFECT_NOTIFY:
        ways_ended(room, &effect->notify.key, effect->notify.end);
        notice_publish(room, effect->notify.notice, &effect->notify.hash, &effect->notify.key);
        break;
    case MESH_EFFECT_DONE:
        intent_done(room, effect);
        break;
    }
}

/* ---- events ---- */

/* The Mesh may not be stepped while its effects are pulled: what comes meanwhile waits. */
static void put_later(Room *room, const MeshEvent *event) {
    g_assert(event->kind == MESH_EVENT_FETCHED || event->kind == MESH_EVENT_ICE_DOWN);
    Later *later = g_new0(Later, 1);
    later->event = *event;
    if (event->kind == MESH_EVENT_FETCHED && event->stored.bytes.data != NULL) {
        later->bytes = g_bytes_new(event->stored.bytes.data, event->stored.bytes.length);
        later->event.stored.bytes.data = data_of(later->bytes, NULL);
    }
    g_queue_push_tail(&room->later, later);
}

static void later_free(gpointer data) {
    Later *later = data;
    g_clear_pointer(&later->bytes, g_bytes_unref);
    g_free(later);
}

static MeshError step(Room *room, MeshEvent *event) {
    event->now_us = (guint64)g_get_monotonic_time();
    event->now_s = (guint64)(g_get_real_time() / G_USEC_PER_SEC);
    MeshError error = mesh_step(room->mesh, event);
    MeshEffect effect;
    net_gather(room->host->net);
    while (mesh_next_effect(room->mesh, &effect)) {
        do_effect(room, &effect);
    }
    net_leave(room->host->net);
    return error;
}

MeshError room_step(Room *room, MeshEvent *event) {
    if (room->stepping) {
        put_later(room, event);
        return MESH_OK;
    }
    room->stepping = TRUE;
    MeshError error = step(room, event);
    Later *later;
    while ((later = g_queue_pop_head(&room->later)) != NULL) {
        step(room, &later->event);
        later_free(later);
    }
    room->stepping = FALSE;
    room->deadline_us = room_is_awake(room) ? mesh_deadline_us(room->mesh) : G_MAXUINT64;
    return error;
}

void room_tell(Room *room, MeshEventKind kind) {
    MeshEvent event = {.kind = kind};
    room_step(room, &event);
}

void room_addresses(Room *room, gboolean woke) {
    GArray *all = room->host->addresses;
    MeshEvent event = {
        .kind = MESH_EVENT_ADDRESSES,
        .addresses = {.paths = (const MeshPath *)(gpointer)all->data, .count = all->len}};
    room_step(room, &event);
    if (woke) {
        room_tell(room, MESH_EVENT_WAKE);
    }
}

typedef struct {
    GSource source;
    Room *room;
} Timer;

/* The deadline moves with each datagram. The loop asks for it before it waits: setting a ready time
 * would wake the loop that runs, each time. */
static gboolean timer_prepare(GSource *source, gint *ret_timeout_ms) {
    guint64 deadline_us = ((Timer *)source)->room->deadline_us;
    guint64 now_us = (guint64)g_source_get_time(source);
    guint64 left_ms = deadline_us > now_us ? (deadline_us - now_us + 999) / 1000 : 0;
    *ret_timeout_ms = deadline_us == G_MAXUINT64 ? -1 : (gint)MIN(left_ms, G_MAXINT);
    return left_ms == 0;
}

static gboolean timer_check(GSource *source) {
    return ((Timer *)source)->room->deadline_us <= (guint64)g_source_get_time(source);
}

static gboolean timer_dispatch(GSource *source, GSourceFunc callback, gpointer data) {
    room_tell(((Timer *)source)->room, MESH_EVENT_TIMEOUT);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_functions = {
    .prepare = timer_prepare, .check = timer_check, .dispatch = timer_dispatch};

/* ---- coming and going ---- */

static void draw(void *context, uint8_t *ret_bytes, size_t length) {
    randombytes_buf(ret_bytes, length);
}

static Room *room_open(Host *host, guint number) {
    MeshOptions options = {.name = host->name,
                           .random = draw,
                           .now_us = (guint64)g_get_monotonic_time(),
                           .document_fetch_max = host->fetch_max,
                           .store_max = host->store_max};
    memcpy(options.device_seed, host->seed, MESH_SEED_SIZE);
    Mesh *mesh = mesh_create(&options);
    sodium_memzero(options.device_seed, MESH_SEED_SIZE);
    g_assert(mesh != NULL); /* as GLib does when memory is short */
    Room *room = g_new0(Room, 1);
    room->host = host;
    room->number = number;
    room->mesh = mesh;
    g_queue_init(&room->later);
    room->deadline_us = G_MAXUINT64;
    room->timer = g_source_new(&timer_functions, sizeof(Timer));
    ((Timer *)room->timer)->room = room;
    g_source_attach(room->timer, NULL);
    guint place = host->rooms->len;
    while (place > 0 && ((Room *)g_ptr_array_index(host->rooms, place - 1))->number > number) {
        place--;
    }
    g_ptr_array_insert(host->rooms, (gint)place, room);
    return room;
}

void room_close(Room *room) {
    Host *host = room->host;
    g_assert(!room->stepping);
    speakers_room_closed(room);
    lines_room_closed(room);
    ways_room_closed(room);
    net_ice_stop_all(host->net, room->number);
    end_intents(room);
    g_source_destroy(room->timer);
    g_source_unref(room->timer);
    g_queue_clear_full(&room->later, later_free);
    mesh_destroy(room->mesh);
    g_ptr_array_remove(host->rooms, room);
    g_free(room);
}

Room *room_add(Host *host, GError **error) {
    /* Alone in its transaction: what fails here takes nothing else with it. */
    turn_end(host);
    guint number = store_meeting_add(host->store, error);
    if (number == 0 || !store_commit(host->store, error)) {
        return NULL;
    }
    Room *room = room_open(host, number);
    room_tell(room, MESH_EVENT_LOADED_END);
    bandwidth_tell_room(room);
    room_addresses(room, FALSE);
    return room;
}

typedef struct {
    Room *room;
    guint refused;
} Loading;

static void load_item(const MeshItem *item, gpointer data) {
    Loading *loading = data;
    MeshEvent event = {.kind = MESH_EVENT_LOADED, .item = *item};
    loading->refused += room_step(loading->room, &event) != MESH_OK;
}

gboolean room_load(Host *host, guint number, GError **error) {
    Loading loading = {.room = room_open(host, number)};
    gboolean away = FALSE;
    if (!leaving_load(host, number, &away, error)) {
        return FALSE;
    }
    loading.room->state = away ? ROOM_AWAY : ROOM_OPEN;
    if (!store_load(host->store, number, load_item, &loading, error)) {
        return FALSE;
    }
    room_tell(loading.room, MESH_EVENT_LOADED_END);
    bandwidth_tell_room(loading.room);
    if (loading.refused > 0) {
        notice_tell(host, N_("%u recorded items of a meeting make no sense and are left out"),
                    loading.refused);
    }
    if (mesh_info(loading.room->mesh).status == MESH_STATUS_NEW) {
        room_leave(loading.room); /* ended before it was created, or joined */
    }
    return TRUE;
}

gboolean room_load_all(Host *host, GError **error) {
    g_autoptr(GArray) numbers = store_meetings(host->store, error);
    for (guint i = 0; numbers != NULL && i < numbers->len; i++) {
        if (!room_load(host, g_array_index(numbers, guint, i), error)) {
            return FALSE;
        }
    }
    return numbers != NULL;
}
