/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/ways.h"

#include <string.h>

#include "node/bus/json.h"
#include "node/host/match.h"
#include "node/host/naming.h"
#include "node/host/notice.h"
#include "node/host/way.h"

#define HOLD_MS  2000 /* who is gone for less is not said to be */
#define MANY     4    /* of more at once one sentence tells */
#define KEPT_MAX 8    /* changes */

typedef struct {
    MeshKey key;
    WayKind kind;
    MeshKey via; /* RELAYED */
    guint hops;
    gboolean declared, weak;
    MeshEnd end;    /* of the last direct link, as the core said; NONE: it lives, or never was */
    guint64 number; /* LEFT: of its record in the map then: with another it is back */
    gint64 gone_ms; /* not told of yet: since when there is no way; 0: there is one */
} Way;

typedef struct {
    gint64 at_us; /* Unix time */
    MeshKey member;
    gboolean about; /* it is about one member */
    char *texts[LANGUAGES];
} Change;

struct Ways {
    GHashTable *ways; /* Way: the set of them */
    GQueue changes;   /* Change; the newest last */
    guint news;       /* of them not told of yet */
    gboolean stale;
};

/* What was found in one look. */
typedef struct {
    WayChange change; /* its names are said anew in each language */
    MeshKey member, via, before;
} Found;

static guint way_hash(gconstpointer data) {
    const Way *way = data;
    guint hash;
    memcpy(&hash, way->key.bytes, sizeof hash); /* keys are as good as random */
    return hash;
}

static gboolean key_equal(const MeshKey *a, const MeshKey *b) {
    return memcmp(a->bytes, b->bytes, MESH_KEY_SIZE) == 0;
}

static gboolean way_equal(gconstpointer first, gconstpointer second) {
    return key_equal(&((const Way *)first)->key, &((const Way *)second)->key);
}

static Ways *ways_of(Room *room) {
    if (room->ways == NULL) {
        room->ways = g_new0(Ways, 1);
        room->ways->ways = g_hash_table_new_full(way_hash, way_equal, g_free, NULL);
        g_queue_init(&room->ways->changes);
    }
    return room->ways;
}

static Way *find_or_add(Room *room, const MeshKey *member) {
    Ways *ways = ways_of(room);
    Way wanted = {.key = *member};
    Way *way = g_hash_table_lookup(ways->ways, &wanted);
    if (way == NULL) {
        way = g_new0(Way, 1);
        way->key = *member;
        g_hash_table_add(ways->ways, way);
    }
    return way;
}

static WayKind kind_of(const MeshMember *member) {
    return member->state != MESH_LINK_UP                             ? WAY_NONE
           : !member->linked || member->path.kind == MESH_PATH_RELAY ? WAY_RELAYED
                                                                     : WAY_DIRECT;
}

/* 0: none is here. */
static guint64 number_of(const Mesh *mesh, const MeshKey *member) {
    MeshMapMember shown;
    for (size_t i = 0; mesh_map_member(mesh, i, &shown); i++) {
        if (key_equal(&shown.key, member)) {
            return shown.number;
        }
    }
    return 0;
}

void ways_ended(Room *room, const MeshKey *member, MeshEnd why) {
    if (why != MESH_END_NONE) {
        Way *way = find_or_add(room, member);
        way->end = why;
        way->number = why == MESH_END_LEFT ? number_of(room->mesh, member) : 0;
    }
}

MeshEnd ways_end(const Room *room, const MeshKey *member) {
    Way wanted = {.key = *member};
    const Way *way = room->ways != NULL ? g_hash_table_lookup(room->ways->ways, &wanted) : NULL;
    return way != NULL ? way->end : MESH_END_NONE;
}

/* ---- what was kept ---- */

static void change_free(gpointer data) {
    Change *change = data;
    naming_free_texts(change->texts);
    g_free(change);
}

static Change *keep(Ways *ways, const MeshKey *about) {
    Change *change = g_new0(Change, 1);
    change->at_us = g_get_real_time();
    if (about != NULL) {
        change->about = TRUE;
        change->member = *about;
    }
    g_queue_push_tail(&ways->changes, change);
    ways->news++;
    if (ways->changes.length > KEPT_MAX) {
        change_free(g_queue_pop_head(&ways->changes));
        ways->news = MIN(ways->news, KEPT_MAX);
    }
    return change;
}

/* ---- what changed ---- */

static gboolean are_linked(const Mesh *mesh, const MeshKey *one, const MeshKey *other) {
    MeshMapEdge edge;
    for (size_t i = 0; mesh_map_edge(mesh, one, i, &edge); i++) {
        if (key_equal(&edge.key, other)) {
            return edge.agreed;
        }
    }
    return FALSE;
}

/* Of whoever carried before. */
static void look_at_carrier(const Room *room, const Way *way, WayChange *change) {
    MeshMember carrier;
    if (match_member_key(room->mesh, &way->via, &carrier)) {
        change->before = carrier.name;
        change->carrier_lost = kind_of(&carrier) != WAY_DIRECT;
        change->carrier_cut = way->hops == 2 && !are_linked(room->mesh, &way->via, &way->key);
    }
}

static WayChange change_of(const Room *room, const Way *way, const MeshMember *member, WayKind is) {
    MeshMember carrier;
    WayChange change = {.was = way->kind, .is = is, .name = member->name, .end = way->end};
    if (change.is == WAY_RELAYED && match_member_key(room->mesh, &member->via, &carrier)) {
        change.via = carrier.name;
    }
    if (change.was == WAY_RELAYED &&
        (change.is == WAY_NONE || !key_equal(&way->via, &member->via))) {
        look_at_carrier(room, way, &change);
    }
    return change;
}

/* How it is reached, as far as that is true: of whoever said goodbye the map still shows ways that
 * others have yet to find dead. */
static WayKind kind_now(const Room *room, const Way *way, const MeshMember *member) {
    WayKind kind = member->expelled ? WAY_NONE : kind_of(member);
    gboolean left = kind == WAY_RELAYED && way->end == MESH_END_LEFT;
    return left && number_of(room->mesh, &member->key) == way->number ? WAY_NONE : kind;
}

/* Whether it is gone since too short a time to be told. */
static gboolean is_held(Way *way, WayKind is, gint64 now_ms) {
    if (is != WAY_NONE || way->kind == WAY_NONE) {
        way->gone_ms = 0;
    } else if (way->gone_ms == 0) {
        way->gone_ms = now_ms;
    }
    return way->gone_ms != 0 && now_ms - way->gone_ms < HOLD_MS;
}

static gboolean look_at(Room *room, const MeshMember *member, gint64 now_ms, Found *ret_found) {
    Way *way = find_or_add(room, &member->key);
    WayKind is = kind_now(room, way, member);
    if (member->expelled) {
        way->end = MESH_END_EXPELLED;
    } else if (is_held(way, is, now_ms)) {
        room->ways->stale = TRUE;
        return FALSE;
    }
    *ret_found = (Found){change_of(room, way, member, is), member->key, member->via, way->via};
    /* Another carrier is told when the former is lost, or the way is shorter: of equals now this
     * one is nearer, now that. */
    const WayChange *change = &ret_found->change;
    gboolean changed = is != way->kind ||
                       (change->before != NULL &&
                        (change->carrier_lost || change->carrier_cut || member->hops < way->hops));
    if (is == WAY_DIRECT || (is == WAY_RELAYED && way->end == MESH_END_LEFT)) {
        way->end = MESH_END_NONE;
    }
    way->kind = is;
    way->via = member->via;
    way->hops = member->hops;
    return changed;
}

/* Only of who is here, and was known before: one who comes may be weak from the beginning. */
static void look_at_weakness(Room *room, size_t index, const MeshMember *member) {
    MeshMapMember shown;
    Way *way = find_or_add(room, &member->key);
    if (!mesh_map_member(room->mesh, index, &shown) || !shown.declared) {
        return;
    }
    gboolean changed = way->declared && way->weak != shown.weak;
    way->declared = TRUE;
    way->weak = shown.weak;
    if (changed && way->kind != WAY_NONE) {
        Change *change = keep(room->ways, &member->key);
        for (Language language = 0; language < LANGUAGES; language++) {
            change->texts[language] =
                way_weak_sentence(language, naming_member(language, member), shown.weak);
        }
    }
}

static const char *name_of(const Room *room, Language language, const MeshKey *key) {
    MeshMember member;
    return match_member_key(room->mesh, key, &member) ? naming_member(language, &member) : "";
}

static char *sentence_of(const Room *room, Language language, const Found *found) {
    WayChange change = found->change;
    change.name = name_of(room, language, &found->member);
    change.via = change.via != NULL ? name_of(room, language, &found->via) : NULL;
    change.before = change.before != NULL ? name_of(room, language, &found->before) : NULL;
    return way_sentence(language, &change);
}

static void keep_found(Room *room, const GArray *found) {
    Ways *ways = room->ways;
    guint counts[WAY_DIRECT + 1] = {0};
    for (guint i = 0; i < found->len; i++) {
        counts[g_array_index(found, Found, i).change.is]++;
    }
    for (WayKind is = WAY_NONE; is <= WAY_DIRECT; is++) {
        Change *change = counts[is] > MANY ? keep(ways, NULL) : NULL;
        for (Language language = 0; change != NULL && language < LANGUAGES; language++) {
            change->texts[language] = way_many_sentence(language, is, counts[is]);
        }
    }
    for (guint i = 0; i < found->len; i++) {
        const Found *one = &g_array_index(found, Found, i);
        Change *change = counts[one->change.is] > MANY ? NULL : keep(ways, &one->member);
        for (Language language = 0; change != NULL && language < LANGUAGES; language++) {
            change->texts[language] = sentence_of(room, language, one);
        }
    }
}

static void find_changes(Room *room, gint64 now_ms) {
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Found));
    MeshMember member;
    for (size_t i = 0; mesh_member(room->mesh, i, &member); i++) {
        Found one;
        if (member.self) {
            continue;
        }
        if (look_at(room, &member, now_ms, &one)) {
            g_array_append_val(found, one);
        }
        look_at_weakness(room, i, &member);
    }
    keep_found(room, found);
}

/* ---- telling ---- */

void ways_changed(Room *room) {
    ways_of(room)->stale = TRUE;
}

void ways_look(Room *room, gint64 now_ms) {
    Ways *ways = room->ways;
    if (ways == NULL || !ways->stale) {
        return;
    }
    ways->stale = FALSE;
    find_changes(room, now_ms);
    notice_map(room);
    ways->news = 0;
}

static void put_change(JsonBuilder *builder, const Change *change, Language language) {
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(change->at_us / G_USEC_PER_SEC);
    g_autofree char *text = g_date_time_format_iso8601(at);
    char id[MATCH_TEXT_SIZE] = "";
    if (change->about) {
        match_text(change->member.bytes, id);
    }
    json_put_text(builder, "at", text);
    json_put_text(builder, "member", id);
    json_put_text(builder, "text", change->texts[language]);
}

void ways_put(JsonBuilder *builder, const Room *room, Language language) {
    json_builder_begin_array(builder);
    for (GList *at = room->ways != NULL ? room->ways->changes.head : NULL; at != NULL;
         at = at->next) {
        json_builder_begin_object(builder);
        put_change(builder, at->data, language);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

void ways_put_news(JsonBuilder *builder, const Room *room) {
    json_builder_begin_array(builder);
    guint count = room->ways->changes.length;
    for (guint i = count - room->ways->news; i < count; i++) {
        const Change *change = g_queue_peek_nth(&room->ways->changes, i);
        json_builder_begin_object(builder);
        put_change(builder, change, language_chosen());
        naming_put_texts(builder, "texts", change->texts);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

void ways_room_closed(Room *room) {
    if (room->ways != NULL) {
        g_queue_clear_full(&room->ways->changes, change_free);
        g_hash_table_unref(room->ways->ways);
        g_clear_pointer(&room->ways, g_free);
    }
}
