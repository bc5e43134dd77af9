/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The program `maillon`: the command line, and with `start` the node itself.
 * It owns the options of `start` and the line that says the node is ready.
 */
#include <errno.h>
#include <locale.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "node/bus/json.h"
#include "node/cli/cli.h"
#include "node/cli/language.h"
#include "node/host/host.h"

#define FETCH_BYTES     (100 * 1000 * 1000)
#define PORT_LAST       65535
#define PASSPHRASE_SIZE 4096

/* The file's first line, to be freed by the caller; NULL with an error. */
static char *read_passphrase(const char *path, GError **error) {
    FILE *file = fopen(path, "re");
    char line[PASSPHRASE_SIZE];
    char *passphrase = NULL;
    if (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        passphrase = line[0] != '\0' ? g_strdup(line) : NULL;
    }
    if (file == NULL) {
        g_set_error(error, COMMAND_ERROR, COMMAND_ERROR_USAGE, "%s: %s", path, g_strerror(errno));
        return NULL;
    }
    fclose(file);
    sodium_memzero(line, sizeof line);
    if (passphrase == NULL) {
        g_set_error(error, COMMAND_ERROR, COMMAND_ERROR_USAGE, _("%s holds no passphrase"), path);
    }
    return passphrase;
}

/* Where sound goes; a file is made absolute, and its folder must be there. The caller frees. */
static char *read_sink(const char *sink, GError **error) {
    if (strcmp(sink, "auto") == 0 || strcmp(sink, "fake") == 0) {
        return g_strdup(sink);
    }
    g_autofree char *path = g_canonicalize_filename(sink, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    if (!g_file_test(folder, G_FILE_TEST_IS_DIR) || g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, COMMAND_ERROR, COMMAND_ERROR_USAGE, _("%s cannot be written"), path);
        return NULL;
    }
    return g_steal_pointer(&path);
}

/* Flushed at once: whoever started the node waits for it. */
static void say_ready(const char *page, gboolean json) {
    if (!json) {
        printf("ready%s%s\n", page != NULL ? " " : "", page != NULL ? page : "");
        fflush(stdout);
        return;
    }
    JsonBuilder *builder = json_begin_object();
    json_put_flag(builder, "ready", TRUE);
    json_put_text(builder, "page", page);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) node = json_built(builder);
    g_autofree char *text = json_write(node);
    puts(text);
    fflush(stdout);
}

static CliStatus serve(const char *home, const HostOptions *options, gboolean json) {
    g_autoptr(GError) error = NULL;
    Host *host = host_create(home, options, &error);
    if (host == NULL) {
        fprintf(stderr, "maillon: %s\n", error->message);
        return CLI_REFUSED;
    }
    g_autofree char *page = host_page_address(host);
    say_ready(page, json);
    gboolean served = host_run(host, &error);
    host_destroy(host);
    if (!served) {
        fprintf(stderr, "maillon: %s\n", error->message);
    }
    return served ? CLI_DONE : CLI_REFUSED;
}

static CliStatus start(const char *home, JsonObject *given, gboolean json) {
    g_autoptr(GError) error = NULL;
    const char *passphrase_file = json_text(given, "passphrase-file", NULL);
    g_autofree char *sink = NULL;
    g_autofree char *passphrase = NULL;
    gint64 port = json_int(given, "port", 0);
    if (port > PORT_LAST) {
        g_set_error(&error, COMMAND_ERROR, COMMAND_ERROR_USAGE, _("%s: %s is not right"), "start",
                    "PORT");
    } else if (passphrase_file != NULL) {
        passphrase = read_passphrase(passphrase_file, &error);
    }
    if (error == NULL && !json_flag(given, "no-media")) {
        sink = read_sink(json_text(given, "sink", "auto"), &error);
    }
    if (error != NULL) {
        fprintf(stderr, "maillon: %s\n", error->message);
        return CLI_USAGE;
    }
    HostOptions options = {.name = json_text(given, "name", NULL),
                           .passphrase = passphrase,
                           .sink = sink,
                           .video_sink = json_text(given, "video-sink", "auto"),
                           .stun = json_text(given, "stun", NULL),
                           .relay = json_text(given, "relay", NULL),
                           .store_max = json_int(given, "store-max", HOST_STORE_AS_BEFORE),
                           .fetch_max = (guint64)json_int(given, "fetch-max", FETCH_BYTES),
                           .port = (guint16)port,
                           .page = !json_flag(given, "no-page")};
    CliStatus status = serve(home, &options, json);
    if (passphrase != NULL) {
        sodium_memzero(passphrase, strlen(passphrase));
    }
    return status;
}

int main(int argc, char **argv) {
    setlocale(LC_ALL, "");
    language_choose_by_locale();
    return (int)cli_run(argc, argv, start);
}
