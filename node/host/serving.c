/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/serving.h"

#include <sodium.h>
#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/document.h"
#include "node/host/handlers.h"
#include "node/host/match.h"
#include "node/host/pictures.h"
#include "node/host/settings.h"
#include "node/host/turn.h"
#include "node/host/views.h"

/* ---- what the page asks ---- */

static char *on_status(gpointer user, Language language) {
    g_autoptr(JsonNode) status = views_status(user, language);
    return json_write(status);
}

static gboolean on_document(gpointer user, const char *id, PageDocument *ret_document) {
    Host *host = user;
    MeshHash hash;
    size_t length = 0;
    if (strlen(id) != 2 * MESH_HASH_SIZE ||
        sodium_hex2bin(hash.bytes, sizeof hash.bytes, id, strlen(id), NULL, &length, NULL) != 0 ||
        length != sizeof hash.bytes) {
        return FALSE;
    }
    for (guint i = 0; i < host->rooms->len; i++) {
        const Room *room = g_ptr_array_index(host->rooms, i);
        MeshDocument document;
        if (room->state == ROOM_OPEN && match_document_id(room->mesh, &hash, &document) &&
            document.whole) {
            *ret_document = (PageDocument){.room = room->number, .id = hash, .size = document.size};
            g_strlcpy(ret_document->name, document.name, sizeof ret_document->name);
            return TRUE;
        }
    }
    return FALSE;
}

static GBytes *on_document_read(gpointer user, const PageDocument *document, guint64 offset) {
    Room *room = room_find(user, document->room);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    guint32 leaf = (guint32)(offset / DOCUMENT_LEAF_SIZE);
    while (room != NULL && offset < document->size &&
           bytes->len < DOCUMENT_LEAVES_COUNT * DOCUMENT_LEAF_SIZE) {
        guint8 plain[DOCUMENT_LEAF_SIZE];
        gsize length = 0;
        if (!document_leaf(room, &document->id, leaf++, plain, &length, NULL)) {
            return NULL;
        }
        g_byte_array_append(bytes, plain, (guint)length);
        offset += length;
    }
    return bytes->len > 0 ? g_byte_array_free_to_bytes(g_steal_pointer(&bytes)) : NULL;
}

gboolean serving_open(Host *host, GError **error) {
    PageHandler handler = {on_status, on_document, on_document_read, pictures_served(host), host};
    guint before = 0;
    guint8 secret[SESSION_SECRET_SIZE];
    if (!settings_number(host->store, SETTING_PAGE, &before, error) ||
        !settings_secret(host->store, SETTING_SESSION, secret, error)) {
        return FALSE;
    }
    host->page = page_create((guint16)before, host->bus, secret, handler, error);
    sodium_memzero(secret, sizeof secret);
    return host->page != NULL &&
           (page_port(host->page) == before ||
            settings_set_number(host->store, SETTING_PAGE, page_port(host->page), error));
}

/* ---- the commands ---- */

void host_handle_page(Host *host, BusCall *call) {
    if (host->page == NULL) {
        bus_call_refuse(call, N_("this node was started without its page"));
        return;
    }
    g_autofree char *address = page_address(host->page);
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "address", address);
    json_builder_end_object(builder);
    bus_call_reply(call, json_built(builder));
}

void host_handle_name(Host *host, BusCall *call) {
    g_autoptr(GError) error = NULL;
    turn_end(host); /* a setting commits whatever is open */
    char *name =
        settings_name(host->store, json_text(bus_call_arguments(call), "name", ""), &error);
    if (name == NULL) {
        bus_call_refuse(call, "%s", error->message);
        return;
    }
    g_free(host->name);
    host->name = name;
    bus_call_reply(call, NULL);
}
