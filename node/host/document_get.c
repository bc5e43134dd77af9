/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/document.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/handlers.h"
#include "node/host/match.h"

/* Without anything new for so long, nobody in reach has the rest. */
#define WAIT_S 60

typedef enum {
    GETTING_WAITING, /* for missing leaves */
    GETTING_WRITING, /* leaf by leaf, beside the target */
    GETTING_ENDING,  /* a thread brings it to the disk, under its name */
    GETTING_DROPPED, /* the host is gone */
} GettingState;

typedef struct {
    Host *host;
    BusCall *call;
    guint room;
    GettingState state;
    MeshHash id;
    guint64 have;    /* bytes, when last looked */
    guint64 written; /* bytes */
    guint32 leaf;    /* the next to write */
    char *target;
    char *temporary; /* NULL before the first leaf */
    int file;
    guint wait_s;
    guint source; /* the time it may wait, or the next leaves */
} Getting;

/* ---- life ---- */

static void getting_clear(gpointer data) {
    Getting *getting = data;
    if (getting->file >= 0) {
        close(getting->file);
    }
    if (getting->temporary != NULL) {
        g_unlink(getting->temporary);
    }
    g_free(getting->temporary);
    g_free(getting->target);
}

static void getting_drop(gpointer data) {
    Getting *getting = data;
    getting->state = GETTING_DROPPED;
    g_clear_handle_id(&getting->source, g_source_remove);
    g_rc_box_release_full(getting, getting_clear);
}

void document_get_create(Host *host) {
    host->getting = g_hash_table_new_full(g_direct_hash, g_direct_equal, getting_drop, NULL);
}

void document_get_destroy(Host *host) {
    g_clear_pointer(&host->getting, g_hash_table_unref);
}

static void refuse(Getting *getting, const char *text) {
    bus_call_refuse_text(getting->call, text);
    g_hash_table_remove(getting->host->getting, getting);
}

static void refuse_file(Getting *getting, int number) {
    g_autofree char *text = g_strdup_printf("%s: %s", getting->target, g_strerror(number));
    refuse(getting, text);
}

/* ---- writing ---- */

/* In a thread: flushing may take as long as the disk wants. */
static void flush_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable) {
    const Getting *getting = data;
    if (fsync(getting->file) != 0 || g_rename(getting->temporary, getting->target) != 0) {
        g_task_return_int(task, errno);
        return;
    }
    g_task_return_int(task, 0);
}

static void flushed(GObject *source, GAsyncResult *result, gpointer data) {
    Getting *getting = data;
    int number = (int)g_task_propagate_int(G_TASK(result), NULL);
    if (number == 0) {
        g_clear_pointer(&getting->temporary, g_free);
    }
    if (getting->state == GETTING_DROPPED) {
        g_rc_box_release_full(getting, getting_clear);
        return;
    }
    if (number != 0) {
        refuse_file(getting, number);
    } else {
        JsonBuilder *builder = json_begin_object();
        json_put_text(builder, "path", getting->target);
        json_builder_end_object(builder);
        bus_call_reply(getting->call, json_built(builder));
        g_hash_table_remove(getting->host->getting, getting);
    }
    g_rc_box_release_full(getting, getting_clear);
}

static void flush_begin(Getting *getting) {
    GTask *task = g_task_new(NULL, NULL, flushed, g_rc_box_acquire(getting));
    getting->state = GETTING_ENDING;
    g_task_set_task_data(task, getting, NULL);
    g_task_run_in_thread(task, flush_thread);
    g_object_unref(task);
}

static gboolean write_all(int file, const guint8 *bytes, gsize length) {
    while (length > 0) {
        gssize written = write(file, bytes, length);
        if (written < 0 && errno != EINTR) {
            return FALSE;
        }
        bytes += MAX(written, 0);
        length -= (gsize)MAX(written, 0);
    }
    return TRUE;
}

gboolean document_leaf(Room *room, const MeshHash *id, guint32 leaf,
                       guint8 ret_plain[DOCUMENT_LEAF_SIZE], gsize *ret_length, GError **error) {
    guint8 key[MESH_ITEM_KEY_MAX];
    MeshItem item = {.kind = MESH_ITEM_BLOCK, .key = key};
    MeshError failure = mesh_document_leaf_key(room->mesh, id, leaf, key, &item.key_length);
    if (failure != MESH_OK) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, mesh_error_text(failure));
        return FALSE;
    }
    GError *unread = NULL;
    g_autoptr(GBytes) sealed = store_fetch(room->host->store, room->number, &item, &unread);
    if (unread != NULL) {
        g_propagate_error(error, unread);
        return FALSE;
    }
    gsize sealed_length = 0;
    const guint8 *bytes = sealed != NULL ? g_bytes_get_data(sealed, &sealed_length) : NULL;
    if (sealed == NULL || mesh_document_leaf_open(room->mesh, id, leaf, bytes, sealed_length,
                                                  ret_plain, ret_length) != MESH_OK) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                            N_("a part of the document is damaged on this disk"));
        return FALSE;
    }
    return TRUE;
}

/* Reads, opens and writes one leaf; FALSE with the call refused. */
static gboolean write_leaf(Getting *getting, Room *room) {
    guint8 plain[DOCUMENT_LEAF_SIZE];
    gsize length = 0;
    g_autoptr(GError) failure = NULL;
    if (!document_leaf(room, &getting->id, getting->leaf, plain, &length, &failure)) {
        refuse(getting, failure->message);
        return FALSE;
    }
    if (!write_all(getting->file, plain, length)) {
        refuse_file(getting, errno);
        return FALSE;
    }
    getting->written += length;
    getting->leaf++;
    return TRUE;
}

static gboolean write_some(gpointer data) {
    Getting *getting = data;
    Room *room = room_find(getting->host, getting->room);
    MeshDocument document;
    if (room == NULL || !match_document_id(room->mesh, &getting->id, &document)) {
        getting->source = 0;
        refuse(getting, mesh_error_text(MESH_ERROR_STATE));
        return G_SOURCE_REMOVE;
    }
    guint32 end = (guint32)MIN(document.leaves, (guint64)getting->leaf + DOCUMENT_LEAVES_COUNT);
    while (getting->leaf < end) {
        if (!write_leaf(getting, room)) {
            return G_SOURCE_REMOVE;
        }
    }
    if (getting->leaf < document.leaves) {
        return G_SOURCE_CONTINUE;
    }
    getting->source = 0;
    if (getting->written == document.size) {
        flush_begin(getting);
    } else {
        refuse(getting, N_("a part of the document is damaged on this disk"));
    }
    return G_SOURCE_REMOVE;
}

static void write_begin(Getting *getting) {
    getting->temporary = g_strconcat(getting->target, ".XXXXXX", NULL);
    getting->file = g_mkstemp_full(getting->temporary, O_RDWR | O_CLOEXEC, 0666);
    if (getting->file < 0) {
        int number = errno;
        g_clear_pointer(&getting->temporary, g_free);
        refuse_file(getting, number);
        return;
    }
    getting->state = GETTING_WRITING;
    g_clear_handle_id(&getting->source, g_source_remove);
    getting->source = g_idle_add_full(G_PRIORITY_DEFAULT, write_some, getting, NULL);
}

/* ---- waiting for what is missing ---- */

static gboolean waited(gpointer data) {
    Getting *getting = data;
    getting->source = 0;
    refuse(getting, N_("the document is not whole here, and nobody in reach has the rest"));
    return G_SOURCE_REMOVE;
}

static void wait_on(Getting *getting) {
    g_clear_handle_id(&getting->source, g_source_remove);
    getting->source = g_timeout_add(getting->wait_s * 1000, waited, getting);
}

static void look(Getting *getting, const MeshDocument *document) {
    if (document->whole) {
        write_begin(getting);
    } else if (document->have > getting->have) {
        getting->have = document->have;
        bus_call_progress(getting->call, document->have, document->size);
        wait_on(getting);
    }
}

void document_changed(Room *room, const MeshHash *id) {
    Host *host = room->host;
    MeshDocument document;
    if (g_hash_table_size(host->getting) == 0 || !match_document_id(room->mesh, id, &document)) {
        return;
    }
    g_autoptr(GList) all = g_hash_table_get_keys(host->getting);
    for (GList *item = all; item != NULL; item = item->next) {
        Getting *getting = item->data;
        if (getting->state == GETTING_WAITING && getting->room == room->number &&
            memcmp(getting->id.bytes, id->bytes, MESH_HASH_SIZE) == 0) {
            look(getting, &document);
        }
    }
}

/* What is asked for is asked again of the node, which may have answered meanwhile. */
static void fetch_asked(Room *room, const MeshEffect *effect, gpointer data) {
    Host *host = room->host;
    if (effect->done.error != MESH_OK && g_hash_table_contains(host->getting, data)) {
        refuse(data, mesh_error_text(effect->done.error));
    }
}

void host_handle_doc_get(Host *host, BusCall *call) {
    JsonObject *arguments = bus_call_arguments(call);
    const char *target = json_text(arguments, "output", "");
    Room *room = room_of_call(host, call);
    MeshDocument document;
    if (room == NULL || !match_document(room, call, json_text(arguments, "id", ""), &document)) {
        return;
    }
    if (g_file_test(target, G_FILE_TEST_EXISTS) && !g_file_test(target, G_FILE_TEST_IS_REGULAR)) {
        bus_call_refuse(call, N_("%s is no file"), target);
        return;
    }
    Getting *getting = g_rc_box_new0(Getting);
    getting->host = host;
    getting->call = call;
    getting->room = room->number;
    getting->id = document.id;
    getting->have = document.have;
    getting->target = g_strdup(target);
    getting->file = -1;
    getting->wait_s = (guint)MIN(json_int(arguments, "wait", WAIT_S), G_MAXUINT / 1000);
    g_hash_table_add(host->getting, getting);
    if (document.whole) {
        write_begin(getting);
        return;
    }
    wait_on(getting);
    MeshIntent intent = {.kind = MESH_INTENT_DOCUMENT_FETCH, .hash = document.id};
    room_intent(room, &intent, fetch_asked, getting);
}
