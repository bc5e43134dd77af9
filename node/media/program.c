/* SPDX-License-Identifier: MPL-2.0 */
#include "node/media/program.h"

#include <gio/gio.h>

#include "node/cli/language.h"

/* From the folder of the program maillon: in the build tree, then as installed. */
static const char *const BESIDE[] = {
    "../media/maillon-media",
    "../libexec/maillon/maillon-media",
};

char *media_program_find(GError **error) {
    const char *wanted = g_getenv("MAILLON_MEDIA");
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(self != NULL ? self : "/");
    if (wanted != NULL && wanted[0] != '\0') {
        return g_strdup(wanted);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(BESIDE); i++) {
        g_autofree char *path = g_build_filename(folder, BESIDE[i], NULL);
        if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE)) {
            return g_steal_pointer(&path);
        }
    }
    g_autofree char *path = g_build_filename(MAILLON_LIBEXECDIR, "maillon-media", NULL);
    if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE)) {
        return g_steal_pointer(&path);
    }
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                        _("the media helper, maillon-media, is not installed"));
    return NULL;
}
