/* SPDX-License-Identifier: MPL-2.0 */
/* The store on a disk that is full or fails: what was acknowledged is kept, and nothing else. */
#include <errno.h>
#include <glib.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/node_store_home.h"

static struct {
    gint64 room;         /* bytes that SQLite may still write; -1: any number */
    int number;          /* errno when there is no room */
    guint sync_failures; /* to come; Linux reports each only once */
} disk = {.room = -1};

static gssize admitted(gsize length) {
    if (disk.room < 0) {
        return (gssize)length;
    }
    if (disk.room == 0) {
        errno = disk.number;
        return -1;
    }
    gsize taken = MIN(length, (gsize)disk.room);
    disk.room -= (gint64)taken;
    return (gssize)taken;
}

static gssize disk_write(int descriptor, const void *bytes, size_t length) {
    gssize taken = admitted(length);
    return taken < 0 ? taken : write(descriptor, bytes, (gsize)taken);
}

static gssize disk_pwrite(int descriptor, const void *bytes, size_t length, off_t offset) {
    gssize taken = admitted(length);
    return taken < 0 ? taken : pwrite(descriptor, bytes, (gsize)taken, offset);
}

/* Stands before the C library's, for SQLite too. */
int fdatasync(int descriptor) {
    if (disk.sync_failures > 0) {
        disk.sync_failures--;
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, descriptor);
}

static void intercept(void) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    vfs->xSetSystemCall(vfs, "write", (sqlite3_syscall_ptr)disk_write);
    vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)disk_pwrite);
    vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)disk_pwrite);
}

/* Puts and commits until refused; how many were acknowledged. */
static guint say_until_refused(Store *store, guint from, GError **error) {
    g_autofree char *text = g_strnfill(800, 'z');
    for (guint i = from;; i++) {
        g_autofree char *key = g_strdup_printf("said %06u", i);
        MeshItem item = {MESH_ITEM_ENTRY, (const uint8_t *)key, strlen(key), (const uint8_t *)text,
                         strlen(text)};
        if (!store_put(store, 1, &item, error) || !store_commit(store, error)) {
            return i;
        }
    }
}

static void count_said(const MeshItem *item, gpointer data) {
    if (item->kind == MESH_ITEM_ENTRY) {
        (*(guint *)data)++;
    }
}

static void assert_said(Store *store, guint said) {
    guint found = 0;
    g_autoptr(GError) error = NULL;
    g_assert_true(store_load(store, 1, count_said, &found, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(found, ==, said);
}

static void test_full(void) {
    static const int numbers[] = {ENOSPC, EDQUOT, EFBIG, EIO};
    g_autoptr(GRand) dice = g_rand_new_with_seed(8);
    char *home = home_new();
    Store *store = home_open(home);
    guint said = 0;
    g_assert_cmpuint(store_meeting_add(store, NULL), ==, 1);
    g_assert_true(store_commit(store, NULL));
    for (guint round = 0; round < 40; round++) {
        g_autoptr(GError) error = NULL;
        disk.room = g_rand_int_range(dice, 0, round % 4 == 0 ? 8000000 : 100000);
        disk.number = numbers[round % G_N_ELEMENTS(numbers)];
        said = say_until_refused(store, said, &error);
        g_assert_error(error, STORE_ERROR, STORE_ERROR_FULL);
        assert_said(store, said);
        disk.room = round % 3 == 0 ? 0 : -1;
        if (round % 2 == 0) {
            g_autoptr(GHashTable) as_killed = home_copy(home);
            store_close(store);
            home_restore(home, as_killed);
            store = home_open(home);
            assert_said(store, said);
        }
        disk.room = -1;
    }
    store_close(store);
    store = home_open(home);
    assert_said(store, said);
    g_test_message("%u acknowledged around 40 refusals, all there", said);
    store_close(store);
    home_finish(home);
}

/* One large transaction is written out before its end, and the disk fills up on the way. */
static void test_full_within(void) {
    g_autofree char *leaf = g_strnfill(4096, 'l');
    char *home = home_new();
    Store *store = home_open(home);
    home_fill(store);
    g_autofree char *contents = home_contents(store);
    g_autoptr(GError) error = NULL;
    disk.room = 5000000;
    disk.number = ENOSPC;
    gboolean done = TRUE;
    for (guint32 i = 0; done && i < 3000; i++) {
        MeshItem item = {MESH_ITEM_BLOCK, (const uint8_t *)&i, 4, (const uint8_t *)leaf, 4096};
        done = store_put(store, 1, &item, &error);
    }
    g_assert_false(done);
    g_assert_error(error, STORE_ERROR, STORE_ERROR_FULL);
    g_autofree char *after = home_contents(store);
    g_assert_true(g_str_equal(after, contents));
    disk.room = -1;
    g_assert_true(store_commit(store, NULL));
    home_put(store, 2, MESH_ITEM_STATE, "chain", "other");
    g_assert_true(store_commit(store, NULL));
    g_autofree char *before = home_contents(store);
    store_close(store);
    store = home_open(home);
    g_autofree char *reopened = home_contents(store);
    g_assert_true(g_str_equal(before, reopened));
    store_close(store);
    home_finish(home);
}

/* Written but not confirmed by the disk: refused, and refused it stays after a crash. */
static void test_sync_fails(void) {
    char *home = home_new();
    Store *store = home_open(home);
    g_autoptr(GError) error = NULL;
    g_assert_cmpuint(store_meeting_add(store, NULL), ==, 1);
    home_put(store, 1, MESH_ITEM_ENTRY, "before", "kept");
    g_assert_true(store_commit(store, NULL));
    home_put(store, 1, MESH_ITEM_ENTRY, "refused", "lost");
    disk.sync_failures = 1;
    g_assert_false(store_commit(store, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_FULL);
    g_assert_cmpuint(disk.sync_failures, ==, 0);
    assert_said(store, 1);
    g_autoptr(GHashTable) as_killed = home_copy(home);
    store_close(store);
    home_restore(home, as_killed);
    store = home_open(home);
    assert_said(store, 1);
    home_put(store, 1, MESH_ITEM_ENTRY, "after", "kept");
    g_assert_true(store_commit(store, NULL));
    assert_said(store, 2);
    store_close(store);
    home_finish(home);
}

/* No room for a home at all: refused, and made when there is room. */
static void test_full_at_first(void) {
    char *home = home_new();
    for (gint64 room = 0; room < 60000; room += 3001) {
        g_autoptr(GError) error = NULL;
        disk.room = room;
        disk.number = ENOSPC;
        Store *store = store_open(home, NULL, &error);
        if (store == NULL) {
            g_assert_error(error, STORE_ERROR, STORE_ERROR_FULL);
        }
        store_close(store);
    }
    disk.room = -1;
    Store *store = home_open(home);
    home_fill(store);
    store_close(store);
    home_finish(home);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    intercept();
    g_test_add_func("/store/full", test_full);
    g_test_add_func("/store/full-within", test_full_within);
    g_test_add_func("/store/sync-fails", test_sync_fails);
    g_test_add_func("/store/full-at-first", test_full_at_first);
    return g_test_run();
}
