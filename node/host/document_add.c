/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/document.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/handlers.h"
#include "node/host/match.h"
#include "node/host/turn.h"

#define BATCH_SIZE (DOCUMENT_LEAVES_COUNT * DOCUMENT_LEAF_SIZE)

typedef enum {
    ADDING_BEGUN,   /* the Mesh is asked for a handle */
    ADDING_READING, /* a thread reads; this outlives a destroyed host */
    ADDING_STORING, /* a batch is given; until it is on disk */
    ADDING_ENDING,  /* the Mesh is asked to announce it */
    ADDING_FAILED,  /* the call is answered; to be cleared away at the end of the turn */
    ADDING_DROPPED, /* the host is gone */
} AddingState;

typedef struct {
    Host *host;
    BusCall *call;
    guint room;
    AddingState state;
    GInputStream *input;
    GCancellable *cancellable;
    guint64 size;
    guint64 given;     /* bytes the Mesh has */
    GByteArray *batch; /* what was read of the next bytes */
    MeshHash handle;
    guint leaves_waiting; /* leaves whose intent is not done */
    MeshError error;      /* of a leaf */
} Adding;

/* ---- life ---- */

static void adding_clear(gpointer data) {
    Adding *adding = data;
    g_object_unref(adding->input);
    g_object_unref(adding->cancellable);
    g_byte_array_unref(adding->batch);
}

static void adding_drop(gpointer data) {
    Adding *adding = data;
    adding->state = ADDING_DROPPED;
    g_cancellable_cancel(adding->cancellable);
    g_rc_box_release_full(adding, adding_clear);
}

void document_add_create(Host *host) {
    host->adding = g_hash_table_new_full(g_direct_hash, g_direct_equal, adding_drop, NULL);
}

void document_add_destroy(Host *host) {
    g_clear_pointer(&host->adding, g_hash_table_unref);
}

static void fail(Adding *adding, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void fail(Adding *adding, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text =
        g_strdup_vprintf(language_text_in(bus_call_language(adding->call), format), arguments);
    va_end(arguments);
    bus_call_refuse(adding->call, "%s", text);
    adding->state = ADDING_FAILED;
    turn_schedule(adding->host); /* the Mesh may not be stepped here, perhaps */
}

static void fail_as(Adding *adding, MeshError error) {
    fail(adding, "%s", language_text_in(bus_call_language(adding->call), mesh_error_text(error)));
}

/* ---- one piece after the other ---- */

static void read_more(Adding *adding);

static void announced(Room *room, const MeshEffect *effect, gpointer data) {
    Adding *adding = data;
    if (effect->done.error != MESH_OK) {
        fail_as(adding, effect->done.error);
        return;
    }
    char id[MATCH_TEXT_SIZE];
    match_text(effect->done.hash.bytes, id);
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "id", id);
    json_builder_end_object(builder);
    bus_call_reply(adding->call, json_built(builder));
    g_hash_table_remove(adding->host->adding, adding);
}

static void leaf_done(Room *room, const MeshEffect *effect, gpointer data) {
    Adding *adding = data;
    adding->leaves_waiting--;
    if (effect->done.error != MESH_OK) {
        adding->error = effect->done.error;
    }
    turn_schedule(adding->host);
}

/* Gives the batch, leaf by leaf; of an empty document none. */
static void give_batch(Adding *adding, Room *room) {
    GByteArray *batch = adding->batch;
    gsize at = 0;
    adding->state = ADDING_STORING;
    adding->leaves_waiting = 1; /* this one is the loop itself */
    while (at < batch->len && adding->error == MESH_OK) {
        gsize length = MIN(batch->len - at, DOCUMENT_LEAF_SIZE);
        MeshIntent intent = {.kind = MESH_INTENT_DOCUMENT_LEAF,
                             .hash = adding->handle,
                             .bytes = {batch->data + at, length}};
        adding->leaves_waiting++;
        room_intent(room, &intent, leaf_done, adding);
        at += length;
    }
    adding->leaves_waiting--;
    adding->given += at;
    g_byte_array_set_size(batch, 0);
    turn_schedule(adding->host);
}

static void read_done(GObject *source, GAsyncResult *result, gpointer data) {
    Adding *adding = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = g_input_stream_read_bytes_finish(adding->input, result, &error);
    if (adding->state == ADDING_DROPPED) {
        g_rc_box_release_full(adding, adding_clear);
        return;
    }
    Room *room = room_find(adding->host, adding->room);
    guint64 wanted = MIN(BATCH_SIZE, adding->size - adding->given);
    if (bytes == NULL) {
        fail(adding, N_("the file cannot be read: %s"), error->message);
    } else if (room == NULL) {
        fail_as(adding, MESH_ERROR_STATE);
    } else if (g_bytes_get_size(bytes) == 0 && wanted > 0) {
        fail(adding, N_("the file became shorter while it was read"));
    } else {
        g_byte_array_append(adding->batch, g_bytes_get_data(bytes, NULL),
                            (guint)MIN(g_bytes_get_size(bytes), wanted));
        if (adding->batch->len < wanted) {
            read_more(adding);
        } else {
            give_batch(adding, room);
        }
    }
    g_rc_box_release_full(adding, adding_clear);
}

static void read_more(Adding *adding) {
    guint64 wanted = MIN(BATCH_SIZE, adding->size - adding->given) - adding->batch->len;
    adding->state = ADDING_READING;
    /* GLib reads no 0 bytes: of an empty file one is asked for, in vain. */
    g_input_stream_read_bytes_async(adding->input, (gsize)MAX(wanted, 1), G_PRIORITY_DEFAULT,
                                    adding->cancellable, read_done, g_rc_box_acquire(adding));
}

static void begun(Room *room, const MeshEffect *effect, gpointer data) {
    Adding *adding = data;
    if (effect->done.error != MESH_OK) {
        fail_as(adding, effect->done.error);
        return;
    }
    adding->handle = effect->done.hash;
    read_more(adding);
}

static void batch_stored(Adding *adding) {
    Room *room = room_find(adding->host, adding->room);
    if (adding->host->turns_failed > 0 && adding->error == MESH_OK) {
        adding->error = MESH_ERROR_STORE;
    }
    if (room == NULL || adding->error != MESH_OK) {
        fail_as(adding, room == NULL ? MESH_ERROR_STATE : adding->error);
        return;
    }
    bus_call_progress(adding->call, adding->given, adding->size);
    if (adding->given < adding->size) {
        read_more(adding);
        return;
    }
    MeshIntent intent = {.kind = MESH_INTENT_DOCUMENT_END, .hash = adding->handle};
    adding->state = ADDING_ENDING;
    room_intent(room, &intent, announced, adding);
}

static void nothing_follows(Room *room, const MeshEffect *effect, gpointer data) {
}

static void clear_away(Adding *adding) {
    static const MeshHash none;
    Room *room = room_find(adding->host, adding->room);
    if (room != NULL && memcmp(&adding->handle, &none, sizeof none) != 0) {
        MeshIntent intent = {.kind = MESH_INTENT_DOCUMENT_CANCEL, .hash = adding->handle};
        room_intent(room, &intent, nothing_follows, NULL);
    }
    g_hash_table_remove(adding->host->adding, adding);
}

void document_turn_ended(Host *host) {
    g_autoptr(GList) all = g_hash_table_get_keys(host->adding);
    for (GList *item = all; item != NULL; item = item->next) {
        Adding *adding = item->data;
        if (adding->state == ADDING_STORING && adding->leaves_waiting == 0) {
            batch_stored(adding);
        } else if (adding->state == ADDING_FAILED) {
            clear_away(adding);
        }
    }
}

/* ---- the command ---- */

/* The file, open, and its size; −1 with the call refused. */
static int open_file(BusCall *call, const char *path, guint64 *ret_size) {
    struct stat status;
    /* A pipe without a writer, or a device, must not hold the node up. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0 || fstat(file, &status) != 0) {
        bus_call_refuse(call, "%s: %s", path, g_strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        bus_call_refuse(call, N_("%s is no file"), path);
    } else if (status.st_size > MESH_DOCUMENT_SIZE_MAX) {
        bus_call_refuse(call, N_("%s is larger than 100 MB"), path);
    } else {
        *ret_size = (guint64)status.st_size;
        return file;
    }
    if (file >= 0) {
        close(file);
    }
    return -1;
}

/* What others see of the file's name, cut where a character ends. The caller frees. */
static char *shown_name(const char *path) {
    g_autofree char *base = g_path_get_basename(path);
    char *name = g_utf8_make_valid(base, -1);
    /* A name that is no single line would steer the terminals of others: the core refuses it. */
    for (char *at = name; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (g_unichar_iscntrl(c)) {
            memset(at, '_', (size_t)(g_utf8_next_char(at) - at));
        }
    }
    if (strlen(name) > MESH_DOCUMENT_NAME_MAX) {
        const char *end = g_utf8_find_prev_char(name, name + MESH_DOCUMENT_NAME_MAX + 1);
        name[end - name] = '\0';
    }
    return name;
}

void host_handle_doc_add(Host *host, BusCall *call) {
    const char *path = json_text(bus_call_arguments(call), "file", "");
    Room *room = room_of_call(host, call);
    guint64 size = 0;
    int file = room != NULL ? bus_call_file(call, &size) : -1;
    if (room != NULL && file < 0) {
        file = open_file(call, path, &size);
    }
    if (file < 0) {
        return;
    }
    Adding *adding = g_rc_box_new0(Adding);
    adding->host = host;
    adding->call = call;
    adding->room = room->number;
    adding->size = size;
    adding->input = g_unix_input_stream_new(file, TRUE);
    adding->cancellable = g_cancellable_new();
    adding->batch = g_byte_array_new();
    g_hash_table_add(host->adding, adding);
    g_autofree char *name = shown_name(path);
    MeshIntent intent = {.kind = MESH_INTENT_DOCUMENT_BEGIN, .text = name, .size = size};
    room_intent(room, &intent, begun, adding);
}
