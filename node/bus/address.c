/* SPDX-License-Identifier: MPL-2.0 */
#include "node/bus/address.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Of a unix socket, its final 0 not counted (unix(7)). */
#define PATH_MAX_BYTES (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
/* The home's file that names the folder elsewhere. */
#define ELSEWHERE "sockets"

static char *elsewhere_make(const char *home, GError **error) {
    const char *runtime = g_get_user_runtime_dir();
    const char *base = strlen(runtime) < 60 ? runtime : "/tmp";
    g_autofree char *template = g_build_filename(base, "maillon-XXXXXX", NULL);
    if (g_mkdtemp(template) == NULL) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s", template,
                    g_strerror(errno));
        return NULL;
    }
    g_autofree char *note = g_build_filename(home, ELSEWHERE, NULL);
    if (!g_file_set_contents_full(note, template, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                  error)) {
        return NULL;
    }
    return g_steal_pointer(&template);
}

static gboolean own_folder(const char *folder) {
    GStatBuf status;
    return g_lstat(folder, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == getuid() &&
           (status.st_mode & 0077) == 0;
}

char *bus_address_path(const char *home, const char *name, gboolean create, GError **error) {
    g_autofree char *path = g_build_filename(home, name, NULL);
    /* Long names are judged by the longest, so that all sockets of a home are in one place. */
    if (strlen(home) + sizeof "/capture" <= PATH_MAX_BYTES) {
        return g_steal_pointer(&path);
    }
    g_autofree char *note = g_build_filename(home, ELSEWHERE, NULL);
    g_autofree char *folder = NULL;
    if (!g_file_get_contents(note, &folder, NULL, NULL) || !own_folder(folder)) {
        g_clear_pointer(&folder, g_free);
        if (create) {
            folder = elsewhere_make(home, error);
        } else {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "%s: no sockets", home);
        }
    }
    return folder != NULL ? g_build_filename(folder, name, NULL) : NULL;
}

gboolean bus_address_answers(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) > PATH_MAX_BYTES) {
        return FALSE;
    }
    memcpy(address.sun_path, path, strlen(path));
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    gboolean answers =
        descriptor >= 0 && connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0;
    if (descriptor >= 0) {
        close(descriptor);
    }
    return answers;
}
