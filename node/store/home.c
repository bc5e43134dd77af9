/* SPDX-License-Identifier: MPL-2.0 */
#include "node/store/home.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "node/cli/language.h"
#include "node/store/store.h"

struct StoreHome {
    char *folder;
    int lock;
};

GQuark store_error_quark(void) {
    return g_quark_from_static_string("store-error");
}

static const char *way_out(void) {
    return _("It was left as it is. Put back a copy of the whole folder, or move the folder away "
             "and join your meetings again: their other members hold them.");
}

void store_home_set_damaged(GError **error, const char *path) {
    g_autofree char *what = g_strdup_printf(_("%s is damaged."), path);
    g_set_error(error, STORE_ERROR, STORE_ERROR_DAMAGED, "%s %s", what, way_out());
}

void store_home_set_missing(GError **error, const char *path) {
    g_autofree char *what = g_strdup_printf(_("%s is missing."), path);
    g_set_error(error, STORE_ERROR, STORE_ERROR_DAMAGED, "%s %s", what, way_out());
}

void store_home_set_behind(GError **error, const char *path) {
    g_autofree char *what = g_strdup_printf(_("%s lacks what was recorded last."), path);
    g_set_error(error, STORE_ERROR, STORE_ERROR_DAMAGED, "%s %s", what, way_out());
}

void store_home_set_errno(GError **error, const char *path, int number) {
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        g_set_error(error, STORE_ERROR, STORE_ERROR_FULL,
                    _("no room on the disk for %s: nothing was recorded"), path);
        break;
    default:
        g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, _("%s cannot be used: %s"), path,
                    g_strerror(number));
    }
}

StoreHome *store_home_open(const char *folder, GError **error) {
    /* Absolute: SQLite would take a relative "file:…" for a URI. */
    g_autofree char *absolute = g_canonicalize_filename(folder, NULL);
    g_autofree char *path = g_build_filename(absolute, "lock", NULL);
    if (g_mkdir_with_parents(absolute, 0700) != 0) {
        store_home_set_errno(error, absolute, errno);
        return NULL;
    }
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) {
        store_home_set_errno(error, path, errno);
        return NULL;
    }
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            g_set_error(error, STORE_ERROR, STORE_ERROR_IN_USE, _("another node runs on %s"),
                        absolute);
        } else {
            store_home_set_errno(error, path, errno);
        }
        close(lock);
        return NULL;
    }
    StoreHome *home = g_new0(StoreHome, 1);
    home->folder = g_steal_pointer(&absolute);
    home->lock = lock;
    return home;
}

void store_home_close(StoreHome *home) {
    if (home == NULL) {
        return;
    }
    close(home->lock);
    g_free(home->folder);
    g_free(home);
}

char *store_home_path(const StoreHome *home, const char *name) {
    return g_build_filename(home->folder, name, NULL);
}

gboolean store_home_has(const StoreHome *home, const char *name) {
    g_autofree char *path = store_home_path(home, name);
    GStatBuf status;
    return g_lstat(path, &status) == 0;
}

gboolean store_home_rename(const StoreHome *home, const char *from, const char *to,
                           GError **error) {
    g_autofree char *old_path = store_home_path(home, from);
    g_autofree char *new_path = store_home_path(home, to);
    int folder = open(home->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean done = folder >= 0 && rename(old_path, new_path) == 0 && fsync(folder) == 0;
    if (!done) {
        store_home_set_errno(error, new_path, errno);
    }
    if (folder >= 0) {
        close(folder);
    }
    return done;
}

gboolean store_home_read_mark(const StoreHome *home, guint8 ret_mark[STORE_MARK_SIZE]) {
    guint8 mark[STORE_MARK_SIZE];
    if (pread(home->lock, mark, sizeof(mark), 0) != sizeof(mark)) {
        return FALSE;
    }
    memcpy(ret_mark, mark, sizeof(mark));
    return TRUE;
}

void store_home_write_mark(StoreHome *home, const guint8 mark[STORE_MARK_SIZE]) {
    /* Short of room it stays behind, which only makes the check at the next start a weaker one. */
    if (pwrite(home->lock, mark, STORE_MARK_SIZE, 0) != STORE_MARK_SIZE) {
        g_debug("the mark was not written");
    }
}

void store_home_clear_mark(StoreHome *home) {
    if (ftruncate(home->lock, 0) != 0) {
        g_debug("the mark was not cleared");
    }
}
