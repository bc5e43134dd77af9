/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The journal carried by hand: the same sealed entries that travel and are stored, in one file.
 * File: "maillon-bundle" 1, the meeting's id 32, then each entry behind its length u32
 * (little-endian), in an order in which most causes come first. It holds no key: only a member
 * reads it.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/handlers.h"
#include "node/host/room.h"

#define MAGIC        "maillon-bundle\1"
#define MAGIC_SIZE   (sizeof MAGIC - 1)
#define HEADER_SIZE  (MAGIC_SIZE + MESH_HASH_SIZE)
#define LENGTH_SIZE  4
#define TURN_ENTRIES 256 /* taken before the rest of the loop has its turn */

/* ---- export ---- */

typedef struct {
    GByteArray *bytes;
    guint entries;
} Exporting;

static void export_item(const MeshItem *item, gpointer data) {
    Exporting *exporting = data;
    if (!mesh_item_is_entry(item)) {
        return;
    }
    guint32 length = GUINT32_TO_LE((guint32)item->value_length);
    g_byte_array_append(exporting->bytes, (const guint8 *)&length, LENGTH_SIZE);
    g_byte_array_append(exporting->bytes, item->value, (guint)item->value_length);
    exporting->entries++;
}

void host_handle_bundle_export(Host *host, BusCall *call) {
    const char *path = json_text(bus_call_arguments(call), "file", "");
    Room *room = room_of_call(host, call);
    if (room == NULL) {
        return;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    Exporting exporting = {.bytes = bytes};
    MeshInfo info = mesh_info(room->mesh);
    g_byte_array_append(bytes, (const guint8 *)MAGIC, MAGIC_SIZE);
    g_byte_array_append(bytes, info.id.bytes, MESH_HASH_SIZE);
    if (!store_load(host->store, room->number, export_item, &exporting, &error) ||
        !g_file_set_contents_full(path, (const char *)bytes->data, (gssize)bytes->len,
                                  G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                  0600, &error)) {
        bus_call_refuse(call, "%s", error->message);
        return;
    }
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "path", path);
    json_put_int(builder, "entries", exporting.entries);
    json_builder_end_object(builder);
    bus_call_reply(call, json_built(builder));
}

/* ---- import ---- */

typedef struct {
    Host *host;
    BusCall *call;
    guint room;
    GMappedFile *file;
    gsize at;
    guint waiting; /* entries given to the core and not answered yet */
    guint entries, taken, refused;
} Importing;

static void import_end(Importing *importing) {
    if (importing->refused > 0) {
        bus_call_refuse(importing->call,
                        N_("%u entries of the file are damaged or of no use here; %u new ones were "
                           "taken"),
                        importing->refused, importing->taken);
    } else {
        JsonBuilder *builder = json_begin_object();
        json_put_int(builder, "entries", importing->entries);
        json_put_int(builder, "new", importing->taken);
        json_builder_end_object(builder);
        bus_call_reply(importing->call, json_built(builder));
    }
    g_mapped_file_unref(importing->file);
    g_free(importing);
}

static gboolean import_is_over(const Importing *importing) {
    return importing->waiting == 0 && importing->at == g_mapped_file_get_length(importing->file);
}

static void import_done(Room *room, const MeshEffect *done, gpointer data) {
    Importing *importing = data;
    importing->waiting--;
    importing->taken += done->done.error == MESH_OK;
    importing->refused += done->done.error != MESH_OK && done->done.error != MESH_ERROR_REPLAYED;
    if (import_is_over(importing)) {
        import_end(importing);
    }
}

/* The next entry; none: the file is over, or what is left is no entry. */
static Bytes import_next(Importing *importing) {
    const guint8 *bytes = (const guint8 *)g_mapped_file_get_contents(importing->file);
    gsize left = g_mapped_file_get_length(importing->file) - importing->at;
    guint32 length = 0;
    if (left >= LENGTH_SIZE) {
        memcpy(&length, bytes + importing->at, LENGTH_SIZE);
        length = GUINT32_FROM_LE(length);
    }
    if (length == 0 || length > MESH_ENTRY_MAX || length > left - LENGTH_SIZE) {
        importing->refused += left > 0;
        importing->at += left;
        return (Bytes){0};
    }
    importing->at += LENGTH_SIZE + length;
    importing->entries++;
    return (Bytes){.data = bytes + importing->at - length, .length = length};
}

static gboolean import_some(gpointer data) {
    Importing *importing = data;
    Room *room = room_find(importing->host, importing->room);
    /* The last answer may come at once, and free all this: one is held back meanwhile. */
    importing->waiting++;
    for (guint i = 0; i < TURN_ENTRIES && room != NULL; i++) {
        MeshIntent intent = {.kind = MESH_INTENT_IMPORT, .bytes = import_next(importing)};
        if (intent.bytes.length == 0) {
            break;
        }
        importing->waiting++;
        room_intent(room, &intent, import_done, importing);
    }
    if (room == NULL) {
        importing->refused++; /* the meeting was left meanwhile */
        importing->at = g_mapped_file_get_length(importing->file);
    }
    importing->waiting--;
    gboolean more = importing->at < g_mapped_file_get_length(importing->file);
    if (import_is_over(importing)) {
        import_end(importing);
    }
    return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* The room whose meeting the file is of; NULL when the call was refused. */
static Room *import_room(Host *host, BusCall *call, GMappedFile *file) {
    const guint8 *bytes = (const guint8 *)g_mapped_file_get_contents(file);
    if (g_mapped_file_get_length(file) < HEADER_SIZE || memcmp(bytes, MAGIC, MAGIC_SIZE) != 0) {
        bus_call_refuse(call, N_("this file is no bundle of Maillon"));
        return NULL;
    }
    for (guint i = 0; i < host->rooms->len; i++) {
        Room *room = g_ptr_array_index(host->rooms, i);
        MeshInfo info = mesh_info(room->mesh);
        if (info.status == MESH_STATUS_MEMBER &&
            memcmp(info.id.bytes, bytes + MAGIC_SIZE, MESH_HASH_SIZE) == 0) {
            return room;
        }
    }
    bus_call_refuse(call, N_("this bundle is of a meeting this node is not in"));
    return NULL;
}

void host_handle_bundle_import(Host *host, BusCall *call) {
    g_autoptr(GError) error = NULL;
    GMappedFile *file =
        g_mapped_file_new(json_text(bus_call_arguments(call), "file", ""), FALSE, &error);
    if (file == NULL) {
        bus_call_refuse(call, "%s", error->message);
        return;
    }
    Room *room = import_room(host, call, file);
    if (room == NULL) {
        g_mapped_file_unref(file);
        return;
    }
    Importing *importing = g_new0(Importing, 1);
    *importing = (Importing){
        .host = host, .call = call, .room = room->number, .file = file, .at = HEADER_SIZE};
    g_idle_add(import_some, importing);
}
