/* SPDX-License-Identifier: MPL-2.0 */
#include "node/store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "node/cli/language.h"
#include "node/store/home.h"
#include "node/store/schema.h"
#include "node/store/store.h"

/* A database up to this size is checked page by page at each start. */
#define WHOLE_CHECK_BYTES_MAX (32 * 1024 * 1024)

/* As in schema.sql. */
#define APPLICATION_ID 0x4d61696c
#define SCHEMA_VERSION 1
#define SCHEMA_OBJECTS 3
#define PAGE_SIZE      4096

/* Positions in the file's header, big-endian: "The SQLite Database File Format", section 1.3. */
#define HEADER_SIZE           100
#define HEADER_MAGIC          "SQLite format 3"
#define HEADER_PAGE_SIZE      16
#define HEADER_FORMATS        18 /* write and read version: 2 and 2 with a write-ahead log */
#define HEADER_ENCODING       56 /* 1: UTF-8 */
#define HEADER_APPLICATION_ID 68

/* EXCLUSIVE: our own lock keeps other nodes away anyway, and there is no shared memory file, which
 * a full disk would turn into a SIGBUS. */
#define SETTINGS                                                                                   \
    "PRAGMA locking_mode = EXCLUSIVE;"                                                             \
    "PRAGMA cache_size = -2048;"                                                                   \
    "PRAGMA mmap_size = 0;"                                                                        \
    "PRAGMA temp_store = MEMORY;"                                                                  \
    "PRAGMA cell_size_check = ON;"                                                                 \
    "PRAGMA journal_size_limit = 4194304;"                                                         \
    "PRAGMA synchronous = FULL;"

typedef enum {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_PUT,
    STATEMENT_FORGET,
    STATEMENT_FORGET_MEETING,
    STATEMENT_ONE,
    STATEMENT_KIND,
    STATEMENT_ENTRIES,
    STATEMENT_KEYS,
    STATEMENT_COUNT,
} Statement;

/* Kind 2 is MESH_ITEM_ENTRY, written out so that the index of entries is used. */
static const char *const statements[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_PUT] = "INSERT INTO item (meeting, kind, key, value, checksum)"
                      " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (meeting, kind, key) DO UPDATE"
                      " SET value = excluded.value, checksum = excluded.checksum WHERE kind <> 2",
    [STATEMENT_FORGET] = "DELETE FROM item WHERE meeting = ?1 AND kind = ?2 AND key = ?3",
    [STATEMENT_FORGET_MEETING] = "DELETE FROM item WHERE meeting = ?1",
    [STATEMENT_ONE] = "SELECT key, value, checksum FROM item"
                      " WHERE meeting = ?1 AND kind = ?2 AND key = ?3",
    [STATEMENT_KIND] = "SELECT key, value, checksum FROM item WHERE meeting = ?1 AND kind = ?2",
    [STATEMENT_ENTRIES] = "SELECT key, value, checksum FROM item"
                          " WHERE meeting = ?1 AND kind = 2 ORDER BY seq",
    [STATEMENT_KEYS] = "SELECT key FROM item WHERE meeting = ?1 AND kind = ?2",
};

/* What closing does with SQLite's write-ahead log. */
typedef enum {
    LOG_REMOVE, /* it was not there before, and nothing was written yet */
    LOG_KEEP,   /* it was there, and the database is not known to be good */
    LOG_FOLD,   /* into the database, as usual */
} LogFate;

struct StoreDatabase {
    sqlite3 *sqlite;
    char *path;
    LogFate log_fate;
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

G_STATIC_ASSERT(MESH_ITEM_ENTRY == 2);

/* ---- what SQLite's errors mean ---- */

static void set_disk_error(sqlite3 *sqlite, const char *path, GError **error) {
    int number = sqlite3_system_errno(sqlite);
    if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
        store_home_set_errno(error, path, number);
    } else {
        g_set_error(error, STORE_ERROR, STORE_ERROR_FULL,
                    _("the disk refuses to write %s: %s; nothing was recorded"), path,
                    g_strerror(number));
    }
}

static gboolean set_error(sqlite3 *sqlite, const char *path, GError **error) {
    int code = sqlite3_extended_errcode(sqlite);
    switch (code & 0xff) {
    case SQLITE_ERROR: /* our statements are right: it is the schema that changed */
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        store_home_set_damaged(error, path);
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        g_set_error(error, STORE_ERROR, STORE_ERROR_IN_USE, _("another program has %s open"), path);
        break;
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_READ || code == SQLITE_IOERR_SHORT_READ) {
            store_home_set_damaged(error, path);
            break;
        }
        set_disk_error(sqlite, path, error);
        break;
    case SQLITE_FULL:
        store_home_set_errno(error, path, ENOSPC);
        break;
    default:
        g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, _("%s cannot be used: %s"), path,
                    sqlite3_errmsg(sqlite));
    }
    return FALSE;
}

/* ---- statements ---- */

static gboolean run(sqlite3 *sqlite, const char *path, const char *sql, GError **error) {
    return sqlite3_exec(sqlite, sql, NULL, NULL, NULL) == SQLITE_OK ||
           set_error(sqlite, path, error);
}

static void bind_bytes(sqlite3_stmt *statement, int index, Bytes bytes) {
    /* A NULL pointer would bind NULL, which is not the same as no bytes. */
    sqlite3_bind_blob64(statement, index, bytes.length > 0 ? bytes.data : (const uint8_t *)"",
                        bytes.length, SQLITE_STATIC);
}

static void bind_name(sqlite3_stmt *statement, const StoreName *name) {
    sqlite3_bind_int64(statement, 1, name->meeting);
    if (sqlite3_bind_parameter_count(statement) >= 2) {
        sqlite3_bind_int64(statement, 2, name->kind);
    }
    if (sqlite3_bind_parameter_count(statement) >= 3) {
        bind_bytes(statement, 3, name->key);
    }
}

static Bytes column_bytes(sqlite3_stmt *statement, int column) {
    const uint8_t *data = sqlite3_column_blob(statement, column);
    return (Bytes){.data = data, .length = (size_t)sqlite3_column_bytes(statement, column)};
}

/* Runs a statement that gives no row; on failure the transaction is gone. */
static gboolean write_step(StoreDatabase *database, Statement which, GError **error) {
    sqlite3_stmt *statement = database->statements[which];
    gboolean done = sqlite3_step(statement) == SQLITE_DONE;
    if (!done) {
        set_error(database->sqlite, database->path, error);
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (!done) {
        store_database_rollback(database);
    }
    return done;
}

static gboolean begin(StoreDatabase *database, GError **error) {
    return store_database_has_changes(database) || write_step(database, STATEMENT_BEGIN, error);
}

/* ---- opening ---- */

static gboolean connect_to(const char *path, sqlite3 **ret_sqlite, GError **error) {
    sqlite3 *sqlite = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                SQLITE_OPEN_EXRESCODE;
    if (sqlite3_open_v2(path, &sqlite, flags, NULL) != SQLITE_OK) {
        set_error(sqlite, path, error);
        sqlite3_close(sqlite);
        return FALSE;
    }
    sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    *ret_sqlite = sqlite;
    return TRUE;
}

/* SQLite trusts some of the header and acts on it: empties a log, plays a journal back. */
static gboolean header_is_ours(const char *path, GError **error) {
    static const guint8 formats[] = {2, 2}, encoding[] = {0, 0, 0, 1};
    guint8 header[HEADER_SIZE] = {0};
    guint16 page_size;
    guint32 application;
    g_autofree char *journal = g_strconcat(path, "-journal", NULL);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        store_home_set_errno(error, path, errno);
        return FALSE;
    }
    gssize length = read(descriptor, header, sizeof(header));
    close(descriptor);
    memcpy(&page_size, header + HEADER_PAGE_SIZE, sizeof(page_size));
    memcpy(&application, header + HEADER_APPLICATION_ID, sizeof(application));
    if (length != sizeof(header) || memcmp(header, HEADER_MAGIC, sizeof(HEADER_MAGIC)) != 0 ||
        memcmp(header + HEADER_FORMATS, formats, sizeof(formats)) != 0 ||
        memcmp(header + HEADER_ENCODING, encoding, sizeof(encoding)) != 0 ||
        GUINT16_FROM_BE(page_size) != PAGE_SIZE || GUINT32_FROM_BE(application) != APPLICATION_ID ||
        g_file_test(journal, G_FILE_TEST_EXISTS)) {
        store_home_set_damaged(error, path);
        return FALSE;
    }
    return TRUE;
}

/* The first column of the first row, as a number. */
static gboolean query_number(StoreDatabase *database, const char *sql, gint64 *ret_number,
                             GError **error) {
    sqlite3_stmt *statement = NULL;
    gboolean done = sqlite3_prepare_v2(database->sqlite, sql, -1, &statement, NULL) == SQLITE_OK &&
                    sqlite3_step(statement) == SQLITE_ROW;
    if (done) {
        *ret_number = sqlite3_column_int64(statement, 0);
    } else {
        set_error(database->sqlite, database->path, error);
    }
    sqlite3_finalize(statement);
    return done;
}

static gboolean version_is_ours(StoreDatabase *database, GError **error) {
    gint64 version;
    if (!query_number(database, "PRAGMA user_version", &version, error)) {
        return FALSE;
    }
    if (version > SCHEMA_VERSION) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_NEWER,
                    _("%s was written by a newer version: update Maillon"), database->path);
        return FALSE;
    }
    if (version != SCHEMA_VERSION) {
        store_home_set_damaged(error, database->path);
        return FALSE;
    }
    return TRUE;
}

static int on_object(void *data, int count, char **values, char **names) {
    *(guint *)data += values[0] != NULL && strstr(STORE_SCHEMA, values[0]) != NULL ? 1 : 100;
    return SQLITE_OK;
}

static int on_verdict(void *data, int count, char **values, char **names) {
    *(gboolean *)data = values[0] != NULL && strcmp(values[0], "ok") == 0;
    return SQLITE_OK;
}

static gboolean is_large(const char *path) {
    GStatBuf status;
    return g_stat(path, &status) == 0 && status.st_size > WHOLE_CHECK_BYTES_MAX;
}

/* A flipped byte in the text of the schema changes what our statements mean. */
static gboolean contents_are_sound(StoreDatabase *database, GError **error) {
    guint objects = 0;
    gboolean sound = is_large(database->path);
    /* What a large database holds are documents, whose blocks are checked each time they are read;
       reading all of it now would keep a person waiting for a minute on a slow disk. */
    if (sqlite3_exec(database->sqlite, "SELECT sql FROM sqlite_schema", on_object, &objects,
                     NULL) != SQLITE_OK ||
        (!sound && sqlite3_exec(database->sqlite, "PRAGMA integrity_check(1)", on_verdict, &sound,
                                NULL) != SQLITE_OK)) {
        return set_error(database->sqlite, database->path, error);
    }
    if (objects != SCHEMA_OBJECTS || !sound) {
        store_home_set_damaged(error, database->path);
        return FALSE;
    }
    return TRUE;
}

static gboolean prepare_all(StoreDatabase *database, GError **error) {
    for (guint i = 0; i < STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(database->sqlite, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &database->statements[i], NULL) != SQLITE_OK) {
            return set_error(database->sqlite, database->path, error);
        }
    }
    return TRUE;
}

static gboolean is_writable(StoreDatabase *database, GError **error) {
    if (sqlite3_db_readonly(database->sqlite, "main") != 0) {
        store_home_set_errno(error, database->path, EACCES);
        return FALSE;
    }
    return TRUE;
}

static char *log_path(const char *path) {
    return g_strconcat(path, "-wal", NULL);
}

static StoreDatabase *database_on(sqlite3 *sqlite, const char *path, LogFate log_fate) {
    StoreDatabase *database = g_new0(StoreDatabase, 1);
    database->sqlite = sqlite;
    database->path = g_strdup(path);
    database->log_fate = log_fate;
    return database;
}

StoreDatabase *store_database_open(const char *path, GError **error) {
    g_autofree char *log = log_path(path);
    LogFate log_fate = g_file_test(log, G_FILE_TEST_EXISTS) ? LOG_KEEP : LOG_REMOVE;
    sqlite3 *sqlite;
    if (!header_is_ours(path, error) || !connect_to(path, &sqlite, error)) {
        return NULL;
    }
    StoreDatabase *database = database_on(sqlite, path, log_fate);
    if (!is_writable(database, error) || !run(sqlite, path, SETTINGS, error) ||
        !version_is_ours(database, error) || !contents_are_sound(database, error) ||
        !prepare_all(database, error)) {
        store_database_close(database);
        return NULL;
    }
    return database;
}

void store_database_trust(StoreDatabase *database) {
    sqlite3_db_config(database->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    database->log_fate = LOG_FOLD;
}

gboolean store_database_close(StoreDatabase *database) {
    if (database == NULL) {
        return FALSE;
    }
    g_autofree char *log = log_path(database->path);
    LogFate log_fate = database->log_fate;
    store_database_rollback(database);
    for (guint i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(database->statements[i]);
    }
    int code = sqlite3_close(database->sqlite);
    g_assert(code == SQLITE_OK); /* every statement is finalized */
    g_free(database->path);
    g_free(database);
    if (log_fate == LOG_REMOVE) {
        g_unlink(log);
    }
    return log_fate == LOG_FOLD && !g_file_test(log, G_FILE_TEST_EXISTS);
}

const char *store_database_path(const StoreDatabase *database) {
    return database->path;
}

/* ---- making ---- */

/* An empty file that only its owner reads; SQLite gives its side files the same mode. */
static gboolean make_file(const char *path, GError **error) {
    g_autofree char *log = log_path(path);
    g_unlink(path);
    g_unlink(log);
    int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        store_home_set_errno(error, path, errno);
        return FALSE;
    }
    close(descriptor);
    return TRUE;
}

static gboolean sync_file(const char *path, GError **error) {
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    gboolean done = descriptor >= 0 && fsync(descriptor) == 0;
    if (!done) {
        store_home_set_errno(error, path, errno);
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return done;
}

gboolean store_database_make(const char *path, const StoreRow *first, GError **error) {
    sqlite3 *sqlite;
    if (!make_file(path, error) || !connect_to(path, &sqlite, error)) {
        return FALSE;
    }
    StoreDatabase *database = database_on(sqlite, path, LOG_REMOVE);
    /* Nobody uses the file before it is whole: one sync at the end is enough. */
    gboolean done = run(sqlite, path,
                        "PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE;"
                        "PRAGMA encoding = 'UTF-8';" SETTINGS
                        "PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL;",
                        error) &&
                    run(sqlite, path, "BEGIN;" STORE_SCHEMA "COMMIT", error) &&
                    prepare_all(database, error) && store_database_put(database, first, error) &&
                    store_database_commit(database, error);
    if (done) {
        store_database_trust(database);
    }
    if (!store_database_close(database) && done) {
        store_home_set_errno(error, path, ENOSPC);
        done = FALSE;
    }
    return done && sync_file(path, error);
}

/* ---- writing ---- */

gboolean store_database_has_changes(const StoreDatabase *database) {
    return !sqlite3_get_autocommit(database->sqlite);
}

gboolean store_database_put(StoreDatabase *database, const StoreRow *row, GError **error) {
    sqlite3_stmt *statement = database->statements[STATEMENT_PUT];
    if (!begin(database, error)) {
        return FALSE;
    }
    bind_name(statement, &row->name);
    bind_bytes(statement, 4, row->value);
    bind_bytes(statement, 5, row->checksum);
    return write_step(database, STATEMENT_PUT, error);
}

gboolean store_database_forget(StoreDatabase *database, const StoreName *name, GError **error) {
    if (!begin(database, error)) {
        return FALSE;
    }
    bind_name(database->statements[STATEMENT_FORGET], name);
    return write_step(database, STATEMENT_FORGET, error);
}

gboolean store_database_forget_meeting(StoreDatabase *database, guint meeting, GError **error) {
    if (!begin(database, error)) {
        return FALSE;
    }
    bind_name(database->statements[STATEMENT_FORGET_MEETING], &(StoreName){.meeting = meeting});
    return write_step(database, STATEMENT_FORGET_MEETING, error);
}

gboolean store_database_commit(StoreDatabase *database, GError **error) {
    if (!store_database_has_changes(database) || write_step(database, STATEMENT_COMMIT, error)) {
        return TRUE;
    }
    /* Written whole but not confirmed by the disk, it could come back after a crash, although it
     * was refused: folding the log away drops it. */
    sqlite3_wal_checkpoint_v2(database->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return FALSE;
}

void store_database_rollback(StoreDatabase *database) {
    /* SQLite rolls back by itself after some errors. */
    if (store_database_has_changes(database)) {
        sqlite3_exec(database->sqlite, "ROLLBACK", NULL, NULL, NULL);
    }
}

/* ---- reading ---- */

gboolean store_database_read(StoreDatabase *database, StoreRead read, const StoreName *name,
                             StoreVisit visit, gpointer data, GError **error) {
    static const Statement which[] = {
        [STORE_READ_ONE] = STATEMENT_ONE,
        [STORE_READ_KIND] = STATEMENT_KIND,
        [STORE_READ_ENTRIES] = STATEMENT_ENTRIES,
        [STORE_READ_KEYS] = STATEMENT_KEYS,
    };
    sqlite3_stmt *statement = database->statements[which[read]];
    gboolean going = TRUE;
    int code;
    bind_name(statement, name);
    while (going && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        StoreRow row = {.name = *name};
        row.name.key = column_bytes(statement, 0);
        if (read != STORE_READ_KEYS) {
            row.value = column_bytes(statement, 1);
            row.checksum = column_bytes(statement, 2);
        }
        going = visit(&row, data, error);
    }
    if (going && code != SQLITE_DONE) {
        going = set_error(database->sqlite, database->path, error);
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return going;
}
