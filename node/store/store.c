/* SPDX-License-Identifier: MPL-2.0 */
#include "node/store/store.h"

#include <sodium.h>
#include <string.h>

#include "node/store/database.h"
#include "node/store/home.h"
#include "node/store/key.h"

#define FILE_KEY          "key"
#define FILE_KEY_NEW      "key.new"
#define FILE_DATABASE     "maillon.db"
#define FILE_DATABASE_NEW "maillon.db.new"
#define FILE_LOG          "maillon.db-wal"

/* Kinds beside those of MeshItemKind. The home's own rows belong to meeting 0. */
#define HOME         0
#define KIND_COMMITS 16 /* one row: how often was committed, u64 */
#define KIND_MEETING 17 /* one row a meeting: key: its number, u32; no value */

struct Store {
    StoreHome *home;
    StoreDatabase *database;
    StoreSeal seal;
    StoreKeyForm key_form;
    guint64 commits;
};

static Bytes bytes_of(GBytes *bytes) {
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    return (Bytes){.data = data, .length = length};
}

/* ---- rows ---- */

static StoreName commits_name(void) {
    return (StoreName){.meeting = HOME, .kind = KIND_COMMITS};
}

static StoreName setting_name(const char *name) {
    return (StoreName){.meeting = HOME,
                       .kind = MESH_ITEM_STATE,
                       .key = {.data = (const uint8_t *)name, .length = strlen(name)}};
}

static StoreName item_name(guint meeting, const MeshItem *item) {
    g_assert(meeting != HOME && item->key_length > 0);
    return (StoreName){.meeting = meeting,
                       .kind = item->kind,
                       .key = {.data = item->key, .length = item->key_length}};
}

static gboolean put(Store *store, const StoreName *name, Bytes value, GError **error) {
    guint8 checksum[STORE_CHECKSUM_SIZE];
    StoreRow row = {
        .name = *name, .value = value, .checksum = {.data = checksum, .length = sizeof(checksum)}};
    g_autoptr(GBytes) sealed = NULL;
    if (name->kind == MESH_ITEM_STATE) {
        sealed = store_seal_close(&store->seal, name, value);
        row.value = bytes_of(sealed);
    }
    store_seal_checksum(&store->seal, name, row.value, checksum);
    return store_database_put(store->database, &row, error);
}

static gboolean check(const Store *store, const StoreRow *row, GError **error) {
    gboolean sound = store_seal_check(&store->seal, &row->name, row->value, row->checksum);
    if (!sound) {
        store_home_set_damaged(error, store_database_path(store->database));
    }
    return sound;
}

/* The row's value in clear; NULL with an error. The caller unrefs. */
static GBytes *open_row(const Store *store, const StoreRow *row, GError **error) {
    if (!check(store, row, error)) {
        return NULL;
    }
    if (row->name.kind != MESH_ITEM_STATE) {
        /* No bytes are not no value: the pointer says which. */
        return row->value.length > 0 ? g_bytes_new(row->value.data, row->value.length)
                                     : g_bytes_new_static("", 0);
    }
    GBytes *plain = store_seal_open(&store->seal, &row->name, row->value);
    if (plain == NULL) {
        store_home_set_damaged(error, store_database_path(store->database));
    }
    return plain;
}

typedef struct {
    const Store *store;
    GBytes *value;
} Fetch;

static gboolean on_fetched(const StoreRow *row, gpointer data, GError **error) {
    Fetch *fetch = data;
    fetch->value = open_row(fetch->store, row, error);
    return fetch->value != NULL;
}

static GBytes *fetch_row(Store *store, const StoreName *name, GError **error) {
    Fetch fetch = {.store = store};
    store_database_read(store->database, STORE_READ_ONE, name, on_fetched, &fetch, error);
    return fetch.value;
}

/* ---- how far the database has come ---- */

static void count_bytes(guint64 count, guint8 ret_bytes[sizeof(guint64)]) {
    guint64 little = GUINT64_TO_LE(count);
    memcpy(ret_bytes, &little, sizeof(little));
}

static void mark_of(const Store *store, guint64 commits, guint8 ret_mark[STORE_MARK_SIZE]) {
    static const char key[] = "mark";
    StoreName name = setting_name(key);
    count_bytes(commits, ret_mark);
    name.kind = KIND_COMMITS;
    store_seal_checksum(&store->seal, &name, (Bytes){.data = ret_mark, .length = sizeof(commits)},
                        ret_mark + sizeof(commits));
}

/*
 * The count in the database must be there and not below the mark of the last run, or SQLite has
 * quietly done without a part of its write-ahead log.
 */
static gboolean read_commits(Store *store, GError **error) {
    const char *path = store_database_path(store->database);
    StoreName name = commits_name();
    GError *failure = NULL;
    g_autoptr(GBytes) value = fetch_row(store, &name, &failure);
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    if (value == NULL || g_bytes_get_size(value) != sizeof(guint64)) {
        store_home_set_damaged(error, path);
        return FALSE;
    }
    memcpy(&store->commits, g_bytes_get_data(value, NULL), sizeof(guint64));
    store->commits = GUINT64_FROM_LE(store->commits);
    guint8 mark[STORE_MARK_SIZE], ours[STORE_MARK_SIZE];
    guint64 marked;
    if (!store_home_read_mark(store->home, mark)) {
        return TRUE;
    }
    memcpy(&marked, mark, sizeof(marked));
    marked = GUINT64_FROM_LE(marked);
    mark_of(store, marked, ours);
    if (marked > store->commits && memcmp(mark, ours, sizeof(mark)) == 0) {
        store_home_set_behind(error, path);
        return FALSE;
    }
    return TRUE;
}

static gboolean on_setting(const StoreRow *row, gpointer data, GError **error) {
    return check(data, row, error);
}

/* A setting under an altered name would otherwise only be missed. */
static gboolean check_settings(Store *store, GError **error) {
    StoreName name = {.meeting = HOME, .kind = MESH_ITEM_STATE};
    return store_database_read(store->database, STORE_READ_KIND, &name, on_setting, store, error);
}

/* ---- opening ---- */

/* Both files under names that do not count yet, then first the database, then the key. */
static gboolean make_files(Store *store, const char *passphrase, GError **error) {
    g_autofree char *key_path = store_home_path(store->home, FILE_KEY_NEW);
    g_autofree char *database_path = store_home_path(store->home, FILE_DATABASE_NEW);
    guint8 key[STORE_KEY_SIZE], count[sizeof(guint64)], checksum[STORE_CHECKSUM_SIZE];
    StoreRow first = {.name = commits_name(),
                      .value = {.data = count, .length = sizeof(count)},
                      .checksum = {.data = checksum, .length = sizeof(checksum)}};
    randombytes_buf(key, sizeof(key));
    store_seal_init(&store->seal, key);
    count_bytes(0, count);
    store_seal_checksum(&store->seal, &first.name, first.value, checksum);
    gboolean done = store_key_write(key_path, key, passphrase, error) &&
                    store_database_make(database_path, &first, error) &&
                    store_home_rename(store->home, FILE_DATABASE_NEW, FILE_DATABASE, error) &&
                    store_home_rename(store->home, FILE_KEY_NEW, FILE_KEY, error);
    sodium_memzero(key, sizeof(key));
    return done;
}

/* A new home is made, one whose making was cut off is finished; half a home is damage. */
static gboolean ensure_files(Store *store, const char *passphrase, GError **error) {
    gboolean has_database = store_home_has(store->home, FILE_DATABASE);
    if (has_database && store_home_has(store->home, FILE_KEY)) {
        return TRUE;
    }
    if (has_database && store_home_has(store->home, FILE_KEY_NEW)) {
        return store_home_rename(store->home, FILE_KEY_NEW, FILE_KEY, error);
    }
    if (has_database || store_home_has(store->home, FILE_KEY) ||
        store_home_has(store->home, FILE_LOG)) {
        g_autofree char *missing =
            store_home_path(store->home, has_database ? FILE_KEY : FILE_DATABASE);
        store_home_set_missing(error, missing);
        return FALSE;
    }
    return make_files(store, passphrase, error);
}

static gboolean open_files(Store *store, const char *passphrase, GError **error) {
    g_autofree char *key_path = store_home_path(store->home, FILE_KEY);
    g_autofree char *database_path = store_home_path(store->home, FILE_DATABASE);
    guint8 key[STORE_KEY_SIZE];
    if (!store_key_read(key_path, passphrase, key, &store->key_form, error)) {
        return FALSE;
    }
    store_seal_init(&store->seal, key);
    store->database = store_database_open(database_path, error);
    gboolean done =
        store->database != NULL && read_commits(store, error) && check_settings(store, error);
    if (done && store->key_form == STORE_KEY_PLAIN && passphrase != NULL && *passphrase != '\0') {
        done = store_key_write(key_path, key, passphrase, error);
        store->key_form = STORE_KEY_LOCKED;
    }
    sodium_memzero(key, sizeof(key));
    if (done) {
        store_database_trust(store->database);
    }
    return done;
}

Store *store_open(const char *home, const char *passphrase, GError **error) {
    int ready = sodium_init();
    g_assert(ready >= 0);
    Store *store = g_new0(Store, 1);
    store->home = store_home_open(home, error);
    if (store->home == NULL || !ensure_files(store, passphrase, error) ||
        !open_files(store, passphrase, error)) {
        store_close(store);
        return NULL;
    }
    return store;
}

void store_close(Store *store) {
    if (store == NULL) {
        return;
    }
    if (store_database_close(store->database)) {
        store_home_clear_mark(store->home);
    }
    store_home_close(store->home);
    store_seal_finish(&store->seal);
    g_free(store);
}

gboolean store_is_unlocked(const Store *store) {
    return store->key_form == STORE_KEY_PLAIN;
}

/* ---- settings ---- */

GBytes *store_setting(Store *store, const char *name, GError **error) {
    StoreName row = setting_name(name);
    return fetch_row(store, &row, error);
}

gboolean store_set_setting(Store *store, const char *name, GBytes *value, GError **error) {
    StoreName row = setting_name(name);
    return put(store, &row, bytes_of(value), error) && store_commit(store, error);
}

/* ---- meetings ---- */

typedef struct {
    const Store *store;
    GArray *numbers;
} Meetings;

static gboolean on_meeting(const StoreRow *row, gpointer data, GError **error) {
    Meetings *meetings = data;
    guint32 number;
    if (!check(meetings->store, row, error)) {
        return FALSE;
    }
    g_assert(row->name.key.length == sizeof(number));
    memcpy(&number, row->name.key.data, sizeof(number));
    guint value = GUINT32_FROM_LE(number);
    g_array_append_val(meetings->numbers, value);
    return TRUE;
}

static gint by_number(gconstpointer left, gconstpointer right) {
    guint a = *(const guint *)left, b = *(const guint *)right;
    return a < b ? -1 : a > b;
}

GArray *store_meetings(Store *store, GError **error) {
    StoreName name = {.meeting = HOME, .kind = KIND_MEETING};
    Meetings meetings = {.store = store, .numbers = g_array_new(FALSE, FALSE, sizeof(guint))};
    if (!store_database_read(store->database, STORE_READ_KIND, &name, on_meeting, &meetings,
                             error)) {
        g_array_unref(meetings.numbers);
        return NULL;
    }
    g_array_sort(meetings.numbers, by_number);
    return meetings.numbers;
}

static StoreName meeting_name(const guint32 *little) {
    return (StoreName){.meeting = HOME,
                       .kind = KIND_MEETING,
                       .key = {.data = (const uint8_t *)little, .length = sizeof(*little)}};
}

guint store_meeting_add(Store *store, GError **error) {
    g_autoptr(GArray) numbers = store_meetings(store, error);
    if (numbers == NULL) {
        return 0;
    }
    guint number = numbers->len > 0 ? g_array_index(numbers, guint, numbers->len - 1) + 1 : 1;
    guint32 little = GUINT32_TO_LE(number);
    StoreName name = meeting_name(&little);
    return put(store, &name, (Bytes){0}, error) ? number : 0;
}

gboolean store_meeting_remove(Store *store, guint meeting, GError **error) {
    guint32 little = GUINT32_TO_LE(meeting);
    StoreName name = meeting_name(&little);
    g_assert(meeting != HOME);
    return store_database_forget_meeting(store->database, meeting, error) &&
           store_database_forget(store->database, &name, error);
}

/* ---- items ---- */

gboolean store_put(Store *store, guint meeting, const MeshItem *item, GError **error) {
    StoreName name = item_name(meeting, item);
    return put(store, &name, (Bytes){.data = item->value, .length = item->value_length}, error);
}

gboolean store_forget(Store *store, guint meeting, const MeshItem *item, GError **error) {
    StoreName name = item_name(meeting, item);
    return store_database_forget(store->database, &name, error);
}

gboolean store_commit(Store *store, GError **error) {
    guint8 count[sizeof(guint64)], mark[STORE_MARK_SIZE];
    StoreName name = commits_name();
    if (!store_database_has_changes(store->database)) {
        return TRUE;
    }
    count_bytes(store->commits + 1, count);
    if (!put(store, &name, (Bytes){.data = count, .length = sizeof(count)}, error) ||
        !store_database_commit(store->database, error)) {
        return FALSE;
    }
    store->commits++;
    mark_of(store, store->commits, mark);
    store_home_write_mark(store->home, mark);
    return TRUE;
}

GBytes *store_fetch(Store *store, guint meeting, const MeshItem *item, GError **error) {
    StoreName name = item_name(meeting, item);
    return fetch_row(store, &name, error);
}

typedef struct {
    const Store *store;
    StoreLoad load;
    gpointer data;
} Loading;

static void give(const Loading *loading, const StoreRow *row, Bytes value) {
    MeshItem item = {.kind = (MeshItemKind)row->name.kind,
                     .key = row->name.key.data,
                     .key_length = row->name.key.length,
                     .value = value.data,
                     .value_length = value.length};
    loading->load(&item, loading->data);
}

static gboolean on_state(const StoreRow *row, gpointer data, GError **error) {
    const Loading *loading = data;
    g_autoptr(GBytes) value = open_row(loading->store, row, error);
    if (value == NULL) {
        return FALSE;
    }
    give(loading, row, bytes_of(value));
    return TRUE;
}

static gboolean on_entry(const StoreRow *row, gpointer data, GError **error) {
    const Loading *loading = data;
    if (!check(loading->store, row, error)) {
        return FALSE;
    }
    give(loading, row, row->value);
    return TRUE;
}

static gboolean on_block(const StoreRow *row, gpointer data, GError **error) {
    give(data, row, (Bytes){0});
    return TRUE;
}

gboolean store_load(Store *store, guint meeting, StoreLoad load, gpointer data, GError **error) {
    Loading loading = {.store = store, .load = load, .data = data};
    StoreName state = {.meeting = meeting, .kind = MESH_ITEM_STATE};
    StoreName entries = {.meeting = meeting, .kind = MESH_ITEM_ENTRY};
    StoreName blocks = {.meeting = meeting, .kind = MESH_ITEM_BLOCK};
    g_assert(meeting != HOME);
    return store_database_read(store->database, STORE_READ_KIND, &state, on_state, &loading,
                               error) &&
           store_database_read(store->database, STORE_READ_ENTRIES, &entries, on_entry, &loading,
                               error) &&
           store_database_read(store->database, STORE_READ_KEYS, &blocks, on_block, &loading,
                               error);
}
