/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The program `bench-tox`: a Tox node with one friend and nothing to say, to be measured beside an
 * idle node. It owns one Tox. It never sends a message.
 *
 * stdout: "address HEX", then "linked" when the friend is reached by UDP. stdin: the friend's
 * address; at its end the program leaves.
 */
#include <glib.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <tox/tox.h>

typedef struct {
    Tox *tox;
    GMainLoop *loop;
} Bench;

static void linked(Tox *tox, uint32_t friend, Tox_Connection status, void *data) {
    if (status == TOX_CONNECTION_UDP)
        puts("linked");
    fflush(stdout);
}

static gboolean iterate(gpointer data) {
    Bench *bench = data;

    tox_iterate(bench->tox, NULL);
    g_timeout_add(tox_iteration_interval(bench->tox), iterate, bench);
    return G_SOURCE_REMOVE;
}

static gboolean read_friend(GIOChannel *channel, GIOCondition condition, gpointer data) {
    Bench *bench = data;
    char line[2 * TOX_ADDRESS_SIZE + 2];
    uint8_t address[TOX_ADDRESS_SIZE];

    if (!fgets(line, sizeof line, stdin)) {
        g_main_loop_quit(bench->loop);
        return G_SOURCE_REMOVE;
    }
    if (sodium_hex2bin(address, sizeof address, line, strlen(line), "\n", NULL, NULL) == 0)
        tox_friend_add_norequest(bench->tox, address, NULL);
    return G_SOURCE_CONTINUE;
}

int main(void) {
    struct Tox_Options *options = tox_options_new(NULL);
    GIOChannel *input = g_io_channel_unix_new(0);
    Bench bench = {.loop = g_main_loop_new(NULL, FALSE)};
    uint8_t address[TOX_ADDRESS_SIZE];
    char text[2 * TOX_ADDRESS_SIZE + 1];

    tox_options_set_local_discovery_enabled(options, true);
    bench.tox = tox_new(options, NULL);
    tox_options_free(options);
    if (!bench.tox)
        return 1;
    tox_callback_friend_connection_status(bench.tox, linked);
    tox_self_get_address(bench.tox, address);
    printf("address %s\n", sodium_bin2hex(text, sizeof text, address, sizeof address));
    fflush(stdout);
    g_io_add_watch(input, G_IO_IN | G_IO_HUP, read_friend, &bench);
    iterate(&bench);
    g_main_loop_run(bench.loop);
    tox_kill(bench.tox);
    g_main_loop_unref(bench.loop);
    g_io_channel_unref(input);
    return 0;
}
