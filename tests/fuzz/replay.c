/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The main function of a target without libFuzzer: replays each file of the folders given, one TAP
 * line a file. A finding aborts, as it does under libFuzzer.
 */
#include <glib.h>
#include <stdio.h>

#include "tests/fuzz/fuzz.h"

static gint compare_names(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In order of name, so that two runs are alike. */
static GPtrArray *files_of(const char *folder) {
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    GDir *dir = g_dir_open(folder, 0, &error);
    const char *name;

    if (!dir) {
        fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
    while ((name = g_dir_read_name(dir))) {
        g_ptr_array_add(files, g_build_filename(folder, name, NULL));
    }
    g_dir_close(dir);
    g_ptr_array_sort(files, compare_names);
    return files;
}

int main(int argc, char **argv) {
    guint count = 0;

    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        g_autoptr(GPtrArray) files = files_of(argv[i]);

        for (guint f = 0; f < files->len; f++) {
            g_autofree char *content = NULL;
            gsize length;

            if (!g_file_get_contents(files->pdata[f], &content, &length, NULL)) {
                continue;
            }
            LLVMFuzzerTestOneInput((const uint8_t *)content, length);
            printf("ok %u %s\n", ++count, (char *)files->pdata[f]);
        }
    }
    printf("1..%u\n", count);
    return count > 0 ? 0 : 1;
}
