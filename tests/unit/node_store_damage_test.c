/* SPDX-License-Identifier: MPL-2.0 */
/* The store on a dying or altered disk: never other data, never a silent loss, no repair. */
#include <glib.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

#include "tests/unit/node_store_home.h"

#define DATABASE "maillon.db"
#define LOG      "maillon.db-wal"

/* A filled home, closed; what it holds as text. */
static char *filled(char **ret_contents) {
    char *home = home_new();
    Store *store = home_open(home);
    home_fill(store);
    *ret_contents = home_contents(store);
    store_close(store);
    return home;
}

static guint8 *bytes_of(GHashTable *copy, const char *name, gsize *ret_length) {
    GBytes *bytes = g_hash_table_lookup(copy, name);
    g_assert_nonnull(bytes);
    *ret_length = g_bytes_get_size(bytes);
    return g_memdup2(g_bytes_get_data(bytes, NULL), *ret_length);
}

typedef enum {
    OUTCOME_SAME,
    OUTCOME_NOTICED,
} Outcome;

/* Opens and reads everything: the same as before, or a refusal that says what is wrong. */
static Outcome try_reading(const char *home, const char *contents) {
    g_autoptr(GError) error = NULL;
    Store *store = store_open(home, NULL, &error);
    if (store == NULL) {
        if (!g_error_matches(error, STORE_ERROR, STORE_ERROR_NEWER)) {
            g_assert_error(error, STORE_ERROR, STORE_ERROR_DAMAGED);
        }
        g_assert_nonnull(strstr(error->message, home));
        return OUTCOME_NOTICED;
    }
    g_autofree char *found = home_contents(store);
    if (found != NULL) {
        g_assert_true(g_str_equal(found, contents));
    }
    store_close(store);
    return found != NULL ? OUTCOME_SAME : OUTCOME_NOTICED;
}

/* Flips bits of one byte in many places of a file; each flip is noticed or harmless. */
static guint flip_all(const char *home, const char *file, const char *contents, gsize dense,
                      gsize stride, guint *ret_noticed) {
    g_autoptr(GHashTable) whole = home_copy(home);
    gsize length;
    g_autofree guint8 *bytes = bytes_of(whole, file, &length);
    guint tried = 0;
    *ret_noticed = 0;
    for (gsize i = 0; i < length; i += i < dense ? 1 : stride) {
        static const guint8 masks[] = {0xff, 0x01, 0x80};
        guint8 mask = masks[tried++ % G_N_ELEMENTS(masks)];
        bytes[i] ^= mask;
        home_restore(home, whole);
        home_write(home, file, bytes, length);
        if (try_reading(home, contents) == OUTCOME_NOTICED) {
            (*ret_noticed)++;
        }
        bytes[i] ^= mask;
    }
    home_restore(home, whole);
    g_assert_cmpint(try_reading(home, contents), ==, OUTCOME_SAME);
    return tried;
}

static void test_flipped_key(void) {
    g_autofree char *contents = NULL;
    char *home = filled(&contents);
    guint noticed, tried = flip_all(home, "key", contents, G_MAXSIZE, 1, &noticed);
    g_assert_cmpuint(noticed, ==, tried);
    home_finish(home);
}

static void test_flipped_database(void) {
    g_autofree char *contents = NULL;
    char *home = filled(&contents);
    gsize stride = g_test_slow() ? 1 : 61;
    guint noticed, tried = flip_all(home, DATABASE, contents, 200, stride, &noticed);
    g_test_message("%u bytes flipped, %u noticed, the others held nothing", tried, noticed);
    g_assert_cmpuint(noticed, >, tried / 8);
    home_finish(home);
}

static void fill_slowly(Store *store) {
    home_fill(store);
    for (guint i = 0; i < 5; i++) {
        g_autofree char *key = g_strdup_printf("late %u", i);
        home_put(store, 2, MESH_ITEM_ENTRY, key, "kept");
        g_assert_true(store_commit(store, NULL));
    }
}

/* A home whose node was killed: what was said last stands only in the write-ahead log. */
static char *killed(char **ret_contents) {
    char *home = home_new();
    home_killed_after(home, fill_slowly);
    g_autoptr(GHashTable) hot = home_copy(home);
    g_assert_true(g_hash_table_contains(hot, LOG));
    Store *store = home_open(home);
    *ret_contents = home_contents(store);
    store_close(store);
    home_restore(home, hot);
    return home;
}

static void test_flipped_log(void) {
    g_autofree char *contents = NULL;
    char *home = killed(&contents);
    gsize stride = g_test_slow() ? 7 : 1021;
    guint noticed, tried = flip_all(home, LOG, contents, 64, stride, &noticed);
    g_test_message("%u bytes flipped, %u noticed, the others were of older pages", tried, noticed);
    g_assert_cmpuint(noticed, >, tried / 8);
    home_finish(home);
}

static void test_log_lost(void) {
    g_autofree char *contents = NULL;
    char *home = killed(&contents);
    g_autofree char *log = home_file(home, LOG);
    g_autoptr(GHashTable) hot = home_copy(home);
    gsize length;
    g_autofree guint8 *bytes = bytes_of(hot, LOG, &length);
    for (gsize cut = 1; cut < length; cut = cut * 3 + 1) {
        home_write(home, LOG, bytes, length - cut);
        home_refuses(home, NULL, STORE_ERROR_DAMAGED);
    }
    g_assert_cmpint(g_unlink(log), ==, 0);
    home_refuses(home, NULL, STORE_ERROR_DAMAGED);
    home_restore(home, hot);
    g_assert_cmpint(try_reading(home, contents), ==, OUTCOME_SAME);
    home_finish(home);
}

/* Without a mark nothing is compared: the lock may be deleted, or damaged. */
static void test_mark_lost(void) {
    g_autofree char *contents = NULL;
    char *home = killed(&contents);
    g_autofree char *lock = home_file(home, "lock");
    g_autoptr(GHashTable) hot = home_copy(home);
    guint noticed;
    flip_all(home, "lock", contents, G_MAXSIZE, 1, &noticed);
    g_assert_cmpuint(noticed, ==, 0);
    home_restore(home, hot);
    g_assert_cmpint(g_unlink(lock), ==, 0);
    g_assert_cmpint(try_reading(home, contents), ==, OUTCOME_SAME);
    home_finish(home);
}

static void test_spoilt(void) {
    g_autofree char *contents = NULL;
    char *home = filled(&contents);
    g_autoptr(GHashTable) whole = home_copy(home);
    g_autoptr(GRand) dice = g_rand_new_with_seed(5);
    gsize length;
    g_autofree guint8 *bytes = bytes_of(whole, DATABASE, &length);
    static const gsize cuts[] = {0, 1, 15, 16, 99, 100, 2048, 4095, 4096, 5000, 8192};
    for (guint i = 0; i < G_N_ELEMENTS(cuts); i++) {
        home_write(home, DATABASE, bytes, cuts[i]);
        home_refuses(home, NULL, STORE_ERROR_DAMAGED);
    }
    home_write(home, DATABASE, bytes, length / 2);
    home_refuses(home, NULL, STORE_ERROR_DAMAGED);
    for (gsize i = 4096; i < length; i++) {
        bytes[i] = (guint8)g_rand_int(dice);
    }
    home_write(home, DATABASE, bytes, length);
    home_refuses(home, NULL, STORE_ERROR_DAMAGED);
    for (gsize i = 16; i < 100; i++) {
        bytes[i] = (guint8)g_rand_int(dice);
    }
    home_write(home, DATABASE, bytes, length);
    home_refuses(home, NULL, STORE_ERROR_DAMAGED);
    home_write(home, "key", bytes, length);
    home_refuses(home, NULL, STORE_ERROR_DAMAGED);
    home_write(home, "key", bytes, 0);
    home_refuses(home, NULL, STORE_ERROR_DAMAGED);
    home_restore(home, whole);
    g_assert_cmpint(try_reading(home, contents), ==, OUTCOME_SAME);
    home_finish(home);
}

static void test_strange_files(void) {
    g_autofree char *contents = NULL, *other_contents = NULL;
    char *home = filled(&contents), *other = filled(&other_contents);
    g_autoptr(GHashTable) whole = home_copy(home);
    g_autoptr(GHashTable) foreign = home_copy(other);
    static const char *const files[] = {"key", DATABASE};
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        gsize length;
        g_autofree guint8 *bytes = bytes_of(foreign, files[i], &length);
        g_autofree char *path = home_file(home, files[i]);
        home_write(home, files[i], bytes, length);
        home_refuses(home, NULL, STORE_ERROR_DAMAGED);
        g_assert_cmpint(g_unlink(path), ==, 0);
        home_refuses(home, NULL, STORE_ERROR_DAMAGED);
        home_restore(home, whole);
    }
    /* SQLite would play it back into the database, or empty what it does not trust. */
    home_write(home, DATABASE "-journal", "noise", 5);
    home_refuses(home, NULL, STORE_ERROR_DAMAGED);
    home_restore(home, whole);
    home_write(home, LOG, "noise", 5);
    g_assert_cmpint(try_reading(home, contents), ==, OUTCOME_SAME);
    home_finish(other);
    home_finish(home);
}

static void run_sql(const char *home, const char *sql) {
    g_autofree char *path = home_file(home, DATABASE);
    sqlite3 *sqlite;
    g_assert_cmpint(sqlite3_open(path, &sqlite), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(sqlite), ==, SQLITE_OK);
}

static void test_altered_rows(void) {
    static const char *const changes[] = {
        "UPDATE item SET value = CAST('other' AS BLOB) WHERE kind = 2 AND seq % 7 = 0",
        "UPDATE item SET key = CAST('other' AS BLOB) WHERE seq ="
        " (SELECT min(seq) FROM item WHERE kind = 1)",
        "UPDATE item SET meeting = 3 WHERE kind = 2 AND meeting = 2; UPDATE item SET meeting = 2"
        " WHERE kind = 2 AND meeting = 1",
        "UPDATE item SET checksum = x'00' WHERE kind = 2",
        "UPDATE item SET value = x'' WHERE kind = 1",
        "DELETE FROM item WHERE kind = 16",
        "UPDATE item SET key = x'05000000' WHERE kind = 17 AND key = x'01000000'",
        "CREATE TABLE more (a)",
        "DROP INDEX item_order",
        "PRAGMA user_version = 0",
        "PRAGMA application_id = 7",
        "PRAGMA journal_mode = DELETE",
    };
    g_autofree char *contents = NULL;
    char *home = filled(&contents);
    g_autoptr(GHashTable) whole = home_copy(home);
    for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
        run_sql(home, changes[i]);
        g_assert_cmpint(try_reading(home, contents), ==, OUTCOME_NOTICED);
        home_restore(home, whole);
    }
    home_finish(home);
}

/* Blocks are looked at when they are needed: a damaged one is told, and may be put again. */
static void test_altered_block(void) {
    g_autofree char *contents = NULL;
    char *home = filled(&contents);
    g_autoptr(GError) error = NULL;
    MeshItem item = {.kind = MESH_ITEM_BLOCK, .key = (const uint8_t *)"block 0", .key_length = 7};
    run_sql(home, "UPDATE item SET value = x'00' WHERE kind = 3");
    g_assert_cmpint(try_reading(home, contents), ==, OUTCOME_SAME);
    Store *store = home_open(home);
    g_assert_null(store_fetch(store, 1, &item, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_DAMAGED);
    g_clear_error(&error);
    home_put(store, 1, MESH_ITEM_BLOCK, "block 0", "fetched again");
    g_autoptr(GBytes) value = store_fetch(store, 1, &item, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(g_bytes_get_size(value), ==, strlen("fetched again"));
    store_close(store);
    home_finish(home);
}

static void test_newer(void) {
    g_autofree char *contents = NULL;
    char *home = filled(&contents);
    run_sql(home, "PRAGMA user_version = 2");
    home_refuses(home, NULL, STORE_ERROR_NEWER);
    home_finish(home);
}

static void test_open_elsewhere(void) {
    g_autofree char *contents = NULL;
    char *home = filled(&contents);
    g_autofree char *path = home_file(home, DATABASE);
    sqlite3 *sqlite;
    g_assert_cmpint(sqlite3_open(path, &sqlite), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(sqlite, "BEGIN; SELECT * FROM item", NULL, NULL, NULL), ==, 0);
    g_autoptr(GError) error = NULL;
    g_assert_null(store_open(home, NULL, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_IN_USE);
    g_assert_cmpint(sqlite3_close(sqlite), ==, SQLITE_OK);
    g_assert_cmpint(try_reading(home, contents), ==, OUTCOME_SAME);
    home_finish(home);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/flipped-key", test_flipped_key);
    g_test_add_func("/store/flipped-database", test_flipped_database);
    g_test_add_func("/store/flipped-log", test_flipped_log);
    g_test_add_func("/store/log-lost", test_log_lost);
    g_test_add_func("/store/mark-lost", test_mark_lost);
    g_test_add_func("/store/spoilt", test_spoilt);
    g_test_add_func("/store/strange-files", test_strange_files);
    g_test_add_func("/store/altered-rows", test_altered_rows);
    g_test_add_func("/store/altered-block", test_altered_block);
    g_test_add_func("/store/newer", test_newer);
    g_test_add_func("/store/open-elsewhere", test_open_elsewhere);
    return g_test_run();
}
