/* SPDX-License-Identifier: MPL-2.0 */
/* The store as a node uses it: what was committed is there, in order, and opens for its owner. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "tests/unit/node_store_home.h"

static MeshItem named(MeshItemKind kind, const char *key) {
    return (MeshItem){.kind = kind, .key = (const uint8_t *)key, .key_length = strlen(key)};
}

static void assert_value(Store *store, guint meeting, MeshItemKind kind, const char *key,
                         const char *value) {
    g_autoptr(GError) error = NULL;
    MeshItem item = named(kind, key);
    g_autoptr(GBytes) found = store_fetch(store, meeting, &item, &error);
    g_assert_no_error(error);
    g_assert_true((found == NULL) == (value == NULL));
    if (found != NULL) {
        g_assert_cmpmem(g_bytes_get_data(found, NULL), (int)g_bytes_get_size(found), value,
                        (int)strlen(value));
    }
}

static void commit(Store *store) {
    g_autoptr(GError) error = NULL;
    g_assert_true(store_commit(store, &error));
    g_assert_no_error(error);
}

static void test_round_trip(void) {
    char *home = home_new();
    Store *store = home_open(home);
    g_assert_true(store_is_unlocked(store));
    g_autofree char *empty = home_contents(store);
    g_assert_cmpstr(empty, ==, "identity=\nname=\n");
    home_fill(store);
    g_autofree char *before = home_contents(store);
    store_close(store);

    store = home_open(home);
    g_autofree char *after = home_contents(store);
    g_assert_cmpstr(before, ==, after);
    assert_value(store, 1, MESH_ITEM_STATE, "chain", "random");
    assert_value(store, 1, MESH_ITEM_BLOCK, "block 1", "");
    assert_value(store, 1, MESH_ITEM_BLOCK, "block 2", NULL);
    assert_value(store, 3, MESH_ITEM_STATE, "chain", NULL);
    store_close(store);
    store_close(NULL);
    home_finish(home);
}

static void test_replacing(void) {
    char *home = home_new();
    Store *store = home_open(home);
    g_assert_cmpuint(store_meeting_add(store, NULL), ==, 1);
    static const MeshItemKind kinds[] = {MESH_ITEM_STATE, MESH_ITEM_ENTRY, MESH_ITEM_BLOCK};
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        home_put(store, 1, kinds[i], "key", "first");
        home_put(store, 1, kinds[i], "key", "second");
        assert_value(store, 1, kinds[i], "key", kinds[i] == MESH_ITEM_ENTRY ? "first" : "second");
    }
    commit(store);
    MeshItem block = named(MESH_ITEM_BLOCK, "key");
    g_assert_true(store_forget(store, 1, &block, NULL));
    g_assert_true(store_forget(store, 1, &block, NULL));
    commit(store);
    store_close(store);
    store = home_open(home);
    g_autofree char *contents = home_contents(store);
    g_assert_cmpstr(contents, ==, "identity=\nname=\nmeeting 1\n1 key=second\n2 key=first\n");
    store_close(store);
    home_finish(home);
}

static void test_order(void) {
    char *home = home_new();
    Store *store = home_open(home);
    g_assert_cmpuint(store_meeting_add(store, NULL), ==, 1);
    home_put(store, 1, MESH_ITEM_ENTRY, "zulu", "1");
    home_put(store, 1, MESH_ITEM_BLOCK, "leaf", "not given");
    home_put(store, 1, MESH_ITEM_ENTRY, "alpha", "2");
    commit(store);
    home_put(store, 1, MESH_ITEM_STATE, "word", "value");
    home_put(store, 1, MESH_ITEM_ENTRY, "zulu", "again");
    home_put(store, 1, MESH_ITEM_ENTRY, "mike", "3");
    commit(store);
    g_autofree char *contents = home_contents(store);
    g_assert_cmpstr(contents, ==,
                    "identity=\nname=\nmeeting 1\n"
                    "1 word=value\n2 zulu=1\n2 alpha=2\n2 mike=3\n3 leaf=\n");
    store_close(store);
    home_finish(home);
}

static void test_meetings(void) {
    char *home = home_new();
    Store *store = home_open(home);
    home_fill(store);
    g_assert_cmpuint(store_meeting_add(store, NULL), ==, 3);
    g_assert_true(store_meeting_remove(store, 1, NULL));
    commit(store);
    store_close(store);
    store = home_open(home);
    g_autoptr(GArray) numbers = store_meetings(store, NULL);
    g_assert_cmpuint(numbers->len, ==, 2);
    g_assert_cmpuint(g_array_index(numbers, guint, 0), ==, 2);
    g_assert_cmpuint(g_array_index(numbers, guint, 1), ==, 3);
    assert_value(store, 1, MESH_ITEM_STATE, "chain", NULL);
    assert_value(store, 2, MESH_ITEM_STATE, "chain", "random");
    store_close(store);
    home_finish(home);
}

static void test_not_committed(void) {
    char *home = home_new();
    Store *store = home_open(home);
    home_fill(store);
    g_autofree char *before = home_contents(store);
    home_put(store, 1, MESH_ITEM_ENTRY, "late", "lost");
    home_put(store, 1, MESH_ITEM_STATE, "chain", "other");
    assert_value(store, 1, MESH_ITEM_ENTRY, "late", "lost");
    store_close(store);
    store = home_open(home);
    g_autofree char *after = home_contents(store);
    g_assert_cmpstr(before, ==, after);
    store_close(store);
    home_finish(home);
}

static void work_then_die(Store *store) {
    home_fill(store);
    for (guint i = 0; i < 50; i++) {
        g_autofree char *key = g_strdup_printf("late %u", i);
        home_put(store, 2, MESH_ITEM_ENTRY, key, "kept");
        if (!store_commit(store, NULL)) {
            return;
        }
    }
    home_put(store, 2, MESH_ITEM_ENTRY, "unfinished", "lost");
}

static void test_killed(void) {
    char *home = home_new();
    g_autofree char *log = home_file(home, "maillon.db-wal");
    home_killed_after(home, work_then_die);
    g_assert_true(g_file_test(log, G_FILE_TEST_EXISTS));
    for (guint run = 0; run < 2; run++) {
        Store *store = home_open(home);
        assert_value(store, 2, MESH_ITEM_ENTRY, "late 0", "kept");
        assert_value(store, 2, MESH_ITEM_ENTRY, "late 49", "kept");
        assert_value(store, 2, MESH_ITEM_ENTRY, "unfinished", NULL);
        store_close(store);
    }
    g_assert_false(g_file_test(log, G_FILE_TEST_EXISTS));
    home_finish(home);
}

/* A home whose making was cut off at any step is made, or finished, at the next start. */
static void test_half_made(void) {
    char *home = home_new();
    Store *store = home_open(home);
    home_fill(store);
    g_autofree char *before = home_contents(store);
    store_close(store);
    g_autofree char *key = home_file(home, "key");
    g_autofree char *key_new = home_file(home, "key.new");
    g_autofree char *database = home_file(home, "maillon.db");
    g_assert_cmpint(g_rename(key, key_new), ==, 0);
    store = home_open(home);
    g_autofree char *after = home_contents(store);
    g_assert_cmpstr(before, ==, after);
    store_close(store);

    g_assert_cmpint(g_rename(key, key_new), ==, 0);
    g_assert_cmpint(g_unlink(database), ==, 0);
    home_write(home, "maillon.db.new", "SQLite fo", 9);
    store = home_open(home);
    g_autofree char *empty = home_contents(store);
    g_assert_cmpstr(empty, ==, "identity=\nname=\n");
    store_close(store);
    home_finish(home);
}

static void test_in_use(void) {
    char *home = home_new();
    g_autoptr(GError) error = NULL;
    Store *store = home_open(home);
    home_fill(store);
    g_assert_null(store_open(home, NULL, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_IN_USE);
    g_assert_nonnull(strstr(error->message, home));
    home_put(store, 1, MESH_ITEM_ENTRY, "still", "here");
    commit(store);
    store_close(store);
    store = home_open(home);
    assert_value(store, 1, MESH_ITEM_ENTRY, "still", "here");
    store_close(store);
    home_finish(home);
}

static void test_folder(void) {
    char *home = home_new();
    g_autoptr(GError) error = NULL;
    GStatBuf status;
    static const char *const private[] = {"key", "lock", "maillon.db", "maillon.db-wal"};
    Store *store = home_open(home);
    home_fill(store);
    g_assert_cmpint(g_stat(home, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0700);
    for (guint i = 0; i < G_N_ELEMENTS(private); i++) {
        g_autofree char *path = home_file(home, private[i]);
        g_assert_cmpint(g_stat(path, &status), ==, 0);
        g_assert_cmpint(status.st_mode & 0777, ==, 0600);
    }
    store_close(store);
    g_autofree char *inside = home_file(home, "key/home");
    g_assert_null(store_open(inside, NULL, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_FAILED);
    home_finish(home);
}

// Words of six bytes and more: two bytes are found in any sealed file, sooner or later.
static gboolean appears(const char *home, const char *word) {
    g_autoptr(GHashTable) files = home_copy(home);
    GHashTableIter each;
    gpointer name, bytes;
    gboolean found = FALSE;
    g_hash_table_iter_init(&each, files);
    while (g_hash_table_iter_next(&each, &name, &bytes)) {
        gsize length;
        const char *data = g_bytes_get_data(bytes, &length);
        for (gsize i = 0; i + strlen(word) <= length; i++) {
            found |= memcmp(data + i, word, strlen(word)) == 0;
        }
    }
    return found;
}

static void test_sealed(void) {
    char *home = home_new();
    Store *store = home_open(home);
    home_fill(store);
    g_assert_false(appears(home, "a seed of"));
    g_assert_false(appears(home, "random"));
    g_assert_false(appears(home, "Lemaire"));
    store_close(store);
    g_assert_false(appears(home, "a seed of"));
    g_assert_false(appears(home, "random"));
    home_finish(home);
}

static void test_passphrase(void) {
    char *home = home_new();
    g_autoptr(GError) error = NULL;
    Store *store = home_open(home);
    home_fill(store);
    g_autofree char *before = home_contents(store);
    store_close(store);
    g_autoptr(GHashTable) unlocked = home_copy(home);

    store = store_open(home, "sésame", &error);
    g_assert_no_error(error);
    g_assert_false(store_is_unlocked(store));
    g_autofree char *locked = home_contents(store);
    g_assert_cmpstr(before, ==, locked);
    store_close(store);
    home_refuses(home, NULL, STORE_ERROR_LOCKED);
    home_refuses(home, "", STORE_ERROR_LOCKED);
    home_refuses(home, "sesame", STORE_ERROR_LOCKED);
    store = store_open(home, "sésame", &error);
    g_assert_no_error(error);
    g_assert_false(store_is_unlocked(store));
    g_autofree char *after = home_contents(store);
    g_assert_cmpstr(before, ==, after);
    store_close(store);

    home_restore(home, unlocked);
    store = store_open(home, "", &error);
    g_assert_no_error(error);
    g_assert_true(store_is_unlocked(store));
    store_close(store);
    home_finish(home);
}

static void test_passphrase_at_once(void) {
    char *home = home_new();
    g_autoptr(GError) error = NULL;
    Store *store = store_open(home, "sésame", &error);
    g_assert_no_error(error);
    g_assert_false(store_is_unlocked(store));
    home_fill(store);
    store_close(store);
    home_refuses(home, NULL, STORE_ERROR_LOCKED);
    home_finish(home);
}

static void count_item(const MeshItem *item, gpointer data) {
    (*(guint *)data)++;
}

static void test_large(void) {
    char *home = home_new();
    Store *store = home_open(home);
    guint8 hash[32] = {0}, value[400] = {0};
    guint count = 0;
    gint64 times_us[5];
    g_assert_cmpuint(store_meeting_add(store, NULL), ==, 1);
    times_us[0] = g_get_monotonic_time();
    for (guint32 i = 0; i < 100000; i++) {
        guint32 scattered = i * 2654435761u;
        memcpy(hash, &scattered, sizeof(scattered));
        memcpy(value, &i, sizeof(i));
        MeshItem item = {MESH_ITEM_ENTRY, hash, sizeof(hash), value, sizeof(value)};
        g_assert_true(store_put(store, 1, &item, NULL));
    }
    commit(store);
    times_us[1] = g_get_monotonic_time();
    store_close(store);
    times_us[2] = g_get_monotonic_time();
    store = home_open(home);
    times_us[3] = g_get_monotonic_time();
    g_assert_true(store_load(store, 1, count_item, &count, NULL));
    times_us[4] = g_get_monotonic_time();
    g_assert_cmpuint(count, ==, 100000);
    store_close(store);
    g_test_message("100000 entries of 400 bytes: put %d ms, close %d ms, open %d ms, load %d ms",
                   (int)(times_us[1] - times_us[0]) / 1000, (int)(times_us[2] - times_us[1]) / 1000,
                   (int)(times_us[3] - times_us[2]) / 1000,
                   (int)(times_us[4] - times_us[3]) / 1000);
    home_finish(home);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/round-trip", test_round_trip);
    g_test_add_func("/store/replacing", test_replacing);
    g_test_add_func("/store/order", test_order);
    g_test_add_func("/store/meetings", test_meetings);
    g_test_add_func("/store/not-committed", test_not_committed);
    g_test_add_func("/store/killed", test_killed);
    g_test_add_func("/store/half-made", test_half_made);
    g_test_add_func("/store/in-use", test_in_use);
    g_test_add_func("/store/folder", test_folder);
    g_test_add_func("/store/sealed", test_sealed);
    g_test_add_func("/store/passphrase", test_passphrase);
    g_test_add_func("/store/passphrase-at-once", test_passphrase_at_once);
    g_test_add_func("/store/large", test_large);
    return g_test_run();
}
