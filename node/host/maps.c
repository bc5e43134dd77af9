/* SPDX-License-Identifier: MPL-2.0 */
/* Who is linked with whom, and how each member is reached, as JSON. */
#include <string.h>

#include "node/bus/json.h"
#include "node/host/handlers.h"
#include "node/host/match.h"
#include "node/host/naming.h"
#include "node/host/ways.h"

#define MILLION 1000000.0

/* Both ends of a link, the lower key first: the key of a table. */
typedef struct {
    MeshKey a, b;
    MeshMapEdge worst;
} Link;

static guint link_hash(gconstpointer data) {
    const Link *link = data;
    guint a, b;
    memcpy(&a, link->a.bytes, sizeof a);
    memcpy(&b, link->b.bytes, sizeof b);
    return a * 31 + b;
}

static gboolean link_equal(gconstpointer first, gconstpointer second) {
    const Link *one = first, *other = second;
    return memcmp(one->a.bytes, other->a.bytes, MESH_KEY_SIZE) == 0 &&
           memcmp(one->b.bytes, other->b.bytes, MESH_KEY_SIZE) == 0;
}

/* Each end tells a link as it sees it: what holds for both is the worse. */
static void add_edge(GHashTable *links, const MeshKey *author, const MeshMapEdge *edge) {
    gboolean first = memcmp(author->bytes, edge->key.bytes, MESH_KEY_SIZE) < 0;
    Link wanted = {.a = first ? *author : edge->key, .b = first ? edge->key : *author};
    Link *link = g_hash_table_lookup(links, &wanted);
    if (link == NULL) {
        wanted.worst = *edge;
        link = g_memdup2(&wanted, sizeof wanted);
        g_hash_table_add(links, link);
        return;
    }
    link->worst.rtt_us_below = MAX(link->worst.rtt_us_below, edge->rtt_us_below);
    link->worst.loss_ppm_below = MAX(link->worst.loss_ppm_below, edge->loss_ppm_below);
    link->worst.rate_bps_from = MIN(link->worst.rate_bps_from, edge->rate_bps_from);
}

static gint link_compare(gconstpointer first, gconstpointer second) {
    const Link *one = first, *other = second;
    gint by_a = memcmp(one->a.bytes, other->a.bytes, MESH_KEY_SIZE);
    return by_a != 0 ? by_a : memcmp(one->b.bytes, other->b.bytes, MESH_KEY_SIZE);
}

static void put_id(JsonBuilder *builder, const char *name, const MeshKey *key) {
    char text[MATCH_TEXT_SIZE];
    match_text(key->bytes, text);
    json_put_text(builder, name, text);
}

static void put_link(JsonBuilder *builder, const Link *link) {
    const MeshMapEdge *edge = &link->worst;
    json_builder_begin_object(builder);
    put_id(builder, "a", &link->a);
    put_id(builder, "b", &link->b);
    if (edge->rtt_us_below == UINT32_MAX) {
        json_builder_set_member_name(builder, "rtt_ms");
        json_builder_add_null_value(builder);
    } else {
        json_put_int(builder, "rtt_ms", edge->rtt_us_below / 1000);
    }
    json_put_real(builder, "loss", MIN(edge->loss_ppm_below / MILLION, 1.0));
    json_put_int(builder, "room", edge->rate_bps_from);
    json_put_flag(builder, "both", edge->agreed);
    json_builder_end_object(builder);
}

static void put_links(JsonBuilder *builder, const Mesh *mesh) {
    g_autoptr(GHashTable) links = g_hash_table_new_full(link_hash, link_equal, g_free, NULL);
    static const MeshKey nobody;
    MeshMember member;
    MeshMapEdge edge;
    for (size_t i = 0; mesh_member(mesh, i, &member); i++) {
        for (size_t at = 0; !member.expelled && mesh_map_edge(mesh, &member.key, at, &edge); at++) {
            if (memcmp(&edge.key, &nobody, sizeof nobody) != 0) {
                add_edge(links, &member.key, &edge);
            }
        }
    }
    g_autoptr(GList) all = g_list_sort(g_hash_table_get_keys(links), link_compare);
    json_builder_set_member_name(builder, "links");
    json_builder_begin_array(builder);
    for (GList *at = all; at != NULL; at = at->next) {
        put_link(builder, at->data);
    }
    json_builder_end_array(builder);
}

static void put_member(JsonBuilder *builder, const MeshMember *member, const MeshMapMember *shown,
                       Language language) {
    gboolean here = member->self || member->state == MESH_LINK_UP;
    gboolean relayed = here && !member->self && member->path.kind == MESH_PATH_RELAY;
    json_builder_begin_object(builder);
    put_id(builder, "id", &member->key);
    json_put_text(builder, "name", naming_member(language, member));
    json_put_flag(builder, "self", member->self);
    json_put_flag(builder, "present", here);
    json_put_int(builder, "hops", here ? member->hops : 0);
    if (relayed) {
        put_id(builder, "via", &member->via);
    } else {
        json_put_text(builder, "via", "");
    }
    json_put_flag(builder, "weak", shown->weak);
    json_put_flag(builder, "relay", shown->relay);
    json_put_flag(builder, "neighbour", here && !member->self && !relayed);
    json_builder_end_object(builder);
}

void host_handle_map(Host *host, BusCall *call) {
    Room *room = room_of_call(host, call);
    if (room == NULL) {
        return;
    }
    JsonBuilder *builder = json_begin_object();
    MeshMember member;
    MeshMapMember shown;
    json_builder_set_member_name(builder, "members");
    json_builder_begin_array(builder);
    for (size_t i = 0;
         mesh_member(room->mesh, i, &member) && mesh_map_member(room->mesh, i, &shown); i++) {
        if (!member.expelled) {
            put_member(builder, &member, &shown, bus_call_language(call));
        }
    }
    json_builder_end_array(builder);
    put_links(builder, room->mesh);
    json_builder_set_member_name(builder, "changes");
    ways_put(builder, room, bus_call_language(call));
    json_builder_end_object(builder);
    bus_call_reply(call, json_built(builder));
}
