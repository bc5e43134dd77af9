/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/follow.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/cli/peers.h"
#include "node/cli/print.h"

#define FIGURES_MS   1000 /* of these no event tells: they are asked for again */
#define GATHER_MS    150  /* between an event and what is shown of it: others may follow */
#define CHANGES_MAX  8
#define CLEAR_SCREEN "\033[H\033[2J"

/* ---- messages ---- */

/* A voice message is told of when it begins, and again when it is whole. */
static gboolean is_new(GHashTable *seen, JsonObject *message) {
    const char *id = json_text(message, "id", "");
    gboolean begun = !json_object_has_member(message, "voice") ||
                     json_flag(json_object_get_object_member(message, "voice"), "whole");
    gboolean known = !g_hash_table_add(seen, g_strdup(id));
    if (!begun) {
        return !known;
    }
    return g_hash_table_add(seen, g_strconcat(id, "+", NULL));
}

static void show_message(const Words *words, GHashTable *seen, JsonNode *message) {
    JsonObject *object = json_node_get_object(message);
    if (!is_new(seen, object)) {
        return;
    }
    if (words->json) {
        print_json(message);
    } else {
        print_message(object);
        fflush(stdout);
    }
}

/* The messages there are, each one not shown before. */
static gboolean show_snapshot(const Words *words, BusClient *client, GHashTable *seen,
                              GError **error) {
    g_autoptr(JsonNode) all =
        bus_client_ask(client, words->command->words, words->arguments, NULL, NULL, error);
    if (all == NULL) {
        return FALSE;
    }
    JsonArray *array = json_node_get_array(all);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        show_message(words, seen, json_array_get_element(array, i));
    }
    return TRUE;
}

/* Events continue the snapshot; a gap in their numbers asks for a new one. */
gboolean follow_messages(const Words *words, BusClient *client, GError **error) {
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gint64 number = 0;
    if (!bus_client_follow(client, error) || !show_snapshot(words, client, seen, error)) {
        return FALSE;
    }
    for (;;) {
        g_autoptr(JsonNode) event = bus_client_event(client, error);
        if (event == NULL) {
            return FALSE;
        }
        JsonObject *object = json_node_get_object(event);
        gint64 now = json_int(object, "number", 0);
        gboolean gap = number != 0 && now != number + 1;
        const char *name = json_text(object, "event", "");
        JsonNode *message = json_object_get_member(object, "message");
        number = now;
        if (gap || strcmp(name, "meeting") == 0) {
            if (!show_snapshot(words, client, seen, error)) {
                return FALSE;
            }
        } else if (strcmp(name, "message") == 0 && json_flag(object, "current") &&
                   message != NULL && JSON_NODE_HOLDS_OBJECT(message)) {
            show_message(words, seen, message);
        }
    }
}

/* ---- peers ---- */

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
    interrupted = 1;
}

typedef struct {
    const Words *words;
    BusClient *client;
    GQueue changes; /* lines, the newest last */
    gint64 number;  /* of the last event; 0: none yet */
    gint64 due_ms;  /* what is true is asked for, and shown, then */
} Watch;

static gint64 now_ms(void) {
    return g_get_monotonic_time() / 1000;
}

static void take_changes(Watch *watch, JsonArray *changes) {
    for (guint i = 0; changes != NULL && i < json_array_get_length(changes); i++) {
        g_queue_push_tail(&watch->changes, peers_change(json_array_get_object_element(changes, i)));
        if (watch->changes.length > CHANGES_MAX) {
            g_free(g_queue_pop_head(&watch->changes));
        }
    }
}

/* Those that were before this program. */
static gboolean ask_changes(Watch *watch, GError **error) {
    g_autoptr(JsonObject) nothing = json_object_new();
    g_autoptr(JsonNode) map = bus_client_ask(watch->client, "map", nothing, NULL, NULL, error);
    if (map == NULL) {
        return FALSE;
    }
    g_queue_clear_full(&watch->changes, g_free);
    take_changes(watch, json_list(json_node_get_object(map), "changes"));
    return TRUE;
}

static gboolean show_peers(Watch *watch, GError **error) {
    const Words *words = watch->words;
    gboolean screen = isatty(STDOUT_FILENO);
    g_autoptr(JsonNode) answer =
        bus_client_ask(watch->client, words->command->words, words->arguments, NULL, NULL, error);
    if (answer == NULL) {
        return FALSE;
    }
    watch->due_ms = now_ms() + FIGURES_MS;
    if (words->json) {
        print_json(answer);
        return TRUE;
    }
    fputs(screen ? CLEAR_SCREEN : "", stdout);
    peers_print_screen(json_node_get_array(answer), &watch->changes, screen ? print_rows() : 0);
    fputs(screen ? "" : "\n", stdout);
    fflush(stdout);
    return TRUE;
}

static void hear(Watch *watch, JsonObject *event) {
    static const char *const telling[] = {"peer", "line",    "map",      "member",
                                          "left", "meeting", "expelled", NULL};
    gint64 number = json_int(event, "number", 0);
    gboolean gap = watch->number != 0 && number != watch->number + 1;
    const char *name = json_text(event, "event", "");
    watch->number = number;
    if (strcmp(name, "map") == 0 && json_flag(event, "current")) {
        take_changes(watch, json_list(event, "changes"));
    }
    if (gap || g_strv_contains(telling, name)) {
        watch->due_ms = MIN(watch->due_ms, now_ms() + GATHER_MS);
    }
}

static gboolean watch_on(Watch *watch, GError **error) {
    if (!bus_client_follow(watch->client, error) || !ask_changes(watch, error) ||
        !show_peers(watch, error)) {
        return FALSE;
    }
    while (!interrupted) {
        g_autoptr(GError) failed = NULL;
        gint64 left_ms = MAX(watch->due_ms - now_ms(), 0);
        g_autoptr(JsonNode) event =
            left_ms > 0 ? bus_client_event_within(watch->client, (int)left_ms, &failed) : NULL;
        if (failed != NULL) {
            g_propagate_error(error, g_steal_pointer(&failed));
            return FALSE;
        }
        if (event != NULL) {
            hear(watch, json_node_get_object(event));
        } else if (!interrupted && now_ms() >= watch->due_ms && !show_peers(watch, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean follow_peers(const Words *words, BusClient *client, GError **error) {
    Watch watch = {.words = words, .client = client, .changes = G_QUEUE_INIT};
    /* A second one ends this program, should the node not answer. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    gboolean done = watch_on(&watch, error);
    if (done && isatty(STDOUT_FILENO)) {
        puts(""); /* what the terminal shows of Ctrl-C stands alone */
    }
    g_queue_clear_full(&watch.changes, g_free);
    return done;
}
