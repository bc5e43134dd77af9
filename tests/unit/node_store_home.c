/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/unit/node_store_home.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_item(const MeshItem *item, gpointer data) {
    g_string_append_printf(data, "%d %.*s=%.*s\n", (int)item->kind, (int)item->key_length,
                           (const char *)item->key, (int)item->value_length,
                           item->value != NULL ? (const char *)item->value : "");
}

/* NULL when anything in the home cannot be read. */
static char *contents_or_error(Store *store, GError **error) {
    static const char *const settings[] = {"identity", "name"};
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
        GError *failure = NULL;
        g_autoptr(GBytes) value = store_setting(store, settings[i], &failure);
        if (failure != NULL) {
            g_propagate_error(error, failure);
            return NULL;
        }
        gsize length = 0;
        const char *bytes = value != NULL ? g_bytes_get_data(value, &length) : "";
        g_string_append_printf(text, "%s=%.*s\n", settings[i], (int)length, bytes);
    }
    g_autoptr(GArray) meetings = store_meetings(store, error);
    for (guint i = 0; meetings != NULL && i < meetings->len; i++) {
        guint meeting = g_array_index(meetings, guint, i);
        g_string_append_printf(text, "meeting %u\n", meeting);
        if (!store_load(store, meeting, on_item, text, error)) {
            return NULL;
        }
    }
    return meetings != NULL ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

char *home_contents(Store *store) {
    g_autoptr(GError) error = NULL;
    char *text = contents_or_error(store, &error);
    g_assert_true(text != NULL || g_error_matches(error, STORE_ERROR, STORE_ERROR_DAMAGED));
    return text;
}

char *home_new(void) {
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("maillon-store-XXXXXX", &error);
    g_assert_no_error(error);
    return g_build_filename(folder, "home", NULL);
}

static void remove_files(const char *folder) {
    GDir *dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_assert_cmpint(g_unlink(path), ==, 0);
    }
    g_clear_pointer(&dir, g_dir_close);
}

void home_finish(char *home) {
    g_autofree char *folder = g_path_get_dirname(home);
    remove_files(home);
    g_rmdir(home);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    g_free(home);
}

char *home_file(const char *home, const char *name) {
    return g_build_filename(home, name, NULL);
}

Store *home_open(const char *home) {
    g_autoptr(GError) error = NULL;
    Store *store = store_open(home, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(store);
    return store;
}

GHashTable *home_copy(const char *home) {
    GHashTable *copy =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    GDir *dir = g_dir_open(home, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = home_file(home, name);
        char *bytes;
        gsize length;
        g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
        g_hash_table_insert(copy, g_strdup(name), g_bytes_new_take(bytes, length));
    }
    g_clear_pointer(&dir, g_dir_close);
    return copy;
}

void home_write(const char *home, const char *name, const void *bytes, gsize length) {
    g_autofree char *path = home_file(home, name);
    g_autoptr(GError) error = NULL;
    g_file_set_contents_full(path, bytes, (gssize)length, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                             &error);
    g_assert_no_error(error);
}

void home_restore(const char *home, GHashTable *copy) {
    GHashTableIter each;
    gpointer name, bytes;
    remove_files(home);
    g_hash_table_iter_init(&each, copy);
    while (g_hash_table_iter_next(&each, &name, &bytes)) {
        home_write(home, name, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    }
}

static void assert_same(GHashTable *before, GHashTable *after) {
    GHashTableIter each;
    gpointer name, bytes;
    /* Only the lock may be new. */
    g_hash_table_iter_init(&each, after);
    while (g_hash_table_iter_next(&each, &name, &bytes)) {
        gconstpointer was = g_hash_table_lookup(before, name);
        g_assert_true(was != NULL ? g_bytes_equal(was, bytes) : g_str_equal(name, "lock"));
    }
    g_hash_table_iter_init(&each, before);
    while (g_hash_table_iter_next(&each, &name, &bytes)) {
        g_assert_true(g_hash_table_contains(after, name));
    }
}

void home_refuses(const char *home, const char *passphrase, StoreError code) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) before = home_copy(home);
    Store *store = store_open(home, passphrase, &error);
    g_assert_null(store);
    g_assert_error(error, STORE_ERROR, (int)code);
    g_assert_nonnull(strstr(error->message, home));
    g_autoptr(GHashTable) after = home_copy(home);
    assert_same(before, after);
}

void home_put(Store *store, guint meeting, MeshItemKind kind, const char *key, const char *value) {
    g_autoptr(GError) error = NULL;
    MeshItem item = {.kind = kind,
                     .key = (const uint8_t *)key,
                     .key_length = strlen(key),
                     .value = (const uint8_t *)value,
                     .value_length = strlen(value)};
    g_assert_true(store_put(store, meeting, &item, &error));
    g_assert_no_error(error);
}

void home_fill(Store *store) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) identity = g_bytes_new_static("a seed of thirty-two bytes, secret", 34);
    g_autoptr(GBytes) name = g_bytes_new_static("Zoé Lemaire", sizeof "Zoé Lemaire" - 1);
    g_autofree char *leaf = g_strnfill(4096, 'b');
    g_assert_true(store_set_setting(store, "identity", identity, &error));
    g_assert_true(store_set_setting(store, "name", name, &error));
    for (guint i = 1; i <= 2; i++) {
        g_assert_cmpuint(store_meeting_add(store, &error), ==, i);
        home_put(store, i, MESH_ITEM_STATE, "chain", "random");
        for (guint entry = 0; entry < 12; entry++) {
            g_autofree char *key = g_strdup_printf("%u", (entry * 7 + 5) % 12);
            g_autofree char *value = g_strnfill(100 + entry * 30, (char)('a' + entry));
            home_put(store, i, MESH_ITEM_ENTRY, key, value);
        }
        home_put(store, i, MESH_ITEM_STATE, "epoch", "key");
        home_put(store, i, MESH_ITEM_BLOCK, "block 0", leaf);
        home_put(store, i, MESH_ITEM_BLOCK, "block 1", "");
    }
    g_assert_true(store_commit(store, &error));
    g_assert_no_error(error);
}

void home_killed_after(const char *home, void (*work)(Store *store)) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        Store *store = store_open(home, NULL, NULL);
        if (store != NULL) {
            work(store);
            kill(getpid(), SIGKILL);
        }
        _exit(1);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
