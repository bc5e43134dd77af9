/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/hold.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/bus/client.h"
#include "node/cli/language.h"

struct Hold {
    char *home;
    const char *what; /* of `voice stop` */
    gboolean terminal;
    gboolean ended; /* the person wants it to */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
    interrupted = 1;
}

Hold *hold_begin(const char *words, const char *home) {
    static const char *const lasting[] = {"talk", "voice send", "voice play", NULL};
    struct sigaction action = {.sa_handler = on_signal}, hangup;
    if (!g_strv_contains(lasting, words)) {
        return NULL;
    }
    Hold *hold = g_new0(Hold, 1);
    const char *blank = strrchr(words, ' ');
    hold->what = blank != NULL ? blank + 1 : words;
    hold->home = g_strdup(home);
    hold->terminal = isatty(STDIN_FILENO);
    /* A second one ends this program, should the node not answer. */
    action.sa_flags = (int)SA_RESETHAND;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGQUIT, &action, NULL);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
        sigaction(SIGHUP, &action, NULL); /* not under nohup */
    }
    if (hold->terminal) {
        fprintf(stderr, "%s\n", _("Enter ends it."));
    }
    return hold;
}

/* A line of the terminal, or its end. In the background the terminal is somebody else's. */
static gboolean is_entered(void) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte[256];
    return tcgetpgrp(STDIN_FILENO) == getpgrp() && poll(&input, 1, 0) == 1 &&
           read(STDIN_FILENO, byte, sizeof byte) >= 0;
}

void hold_look(Hold *hold) {
    if (hold == NULL) {
        return;
    }
    hold->ended = hold->ended || interrupted || (hold->terminal && is_entered());
    if (!hold->ended) {
        return;
    }
    /* Another connection: the first one waits for its answer. What is said there may come before
     * what it is to end, and is said until it did. */
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) arguments = json_object_new();
    BusClient *client = bus_client_create(hold->home, &error);
    json_object_set_string_member(arguments, "what", hold->what);
    if (client != NULL) {
        JsonNode *answer = bus_client_ask(client, "voice stop", arguments, NULL, NULL, &error);
        g_clear_pointer(&answer, json_node_unref);
    }
    bus_client_destroy(client);
}

void hold_end(Hold *hold) {
    if (hold != NULL) {
        g_free(hold->home);
        g_free(hold);
    }
}
